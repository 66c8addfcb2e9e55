from s2reid.cli import main

main()
