"""How fast this machine is at everything the program does, beside what a user would otherwise run."""
