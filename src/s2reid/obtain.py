"""Where the datasets come from, and on what terms: nothing is downloaded here.

`docs/datasets.md` says more. What could not be made certain says so.
"""

from dataclasses import dataclass

OWN = {
    "csv": "a manifest, one row a frame",
    "persons": "person/camera/frames",
    "cameras": "camera/tracklet/frames",
    "shards": "what `s2reid data pack` wrote",
}
"""The layouts for recordings of one's own: there is nothing to get."""
WITHDRAWN = {
    "duke": "DukeMTMC was taken down by its university in April 2019, since it had been recorded and published outside "
    "what the ethics board had approved; s2reid reads neither it nor what was cut from it",
}
"""Datasets that are left out on purpose, by how their names begin."""


@dataclass(frozen=True)
class Source:
    """Where one dataset comes from; `pages` begins with the official one, `preset` renders a stand-in for it."""

    title: str
    pages: tuple[str, ...]
    terms: str
    size: str
    steps: tuple[str, ...]
    layout: str
    preset: str | None = None


SOURCES = {
    "mars": Source(
        title="MARS",
        pages=(
            "https://zheng-lab-anu.github.io/Project/project_mars.html",
            "https://github.com/liangzheng06/MARS-evaluation/tree/master/info",
        ),
        terms="for research, with a citation of Zheng et al., ECCV 2016; the page states no licence that we know of",
        size="6.3 GB; 1,261 persons, 20,478 tracklets, 1,191,003 frames",
        steps=(
            "get bbox_train.zip and bbox_test.zip from the official page, and extract both",
            "get the folder info from the second page: the archives do not have it",
        ),
        layout="mars/{bbox_train, bbox_test, info}",
        preset="standin-mars",
    ),
    "ilids_vid": Source(
        title="iLIDS-VID",
        pages=(
            "https://xiatian-zhu.github.io/downloads_qmul_iLIDS-VID_ReID_dataset.html",
            "https://www.gov.uk/imagery-library-for-intelligent-detection-systems",
        ),
        terms="for research, with a citation of Wang et al., ECCV 2014; the footage is i-LIDS of the UK Home Office, "
        "whose own terms (second page) apply to it",
        size="300 persons, 600 tracklets, about 42,500 frames; the size of the archive is not certain",
        steps=("get iLIDS-VID.tar by the official page, or ask its authors where the link is dead", "extract it"),
        layout="ilids-vid/{i-LIDS-VID, train-test people splits}",
        preset="standin-ilids",
    ),
    "prid2011": Source(
        title="PRID 2011",
        pages=("https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/PRID11/",),
        terms="for research, with a citation of Hirzer et al., SCIA 2011; a licence is not known to us",
        size="1.1 GB; 200 persons in both views, of which the protocol uses 178",
        steps=("get prid_2011.zip from the official page, and extract it", "the ten splits come with s2reid"),
        layout="prid2011/prid_2011/multi_shot/{cam_a, cam_b}",
        preset="standin-prid",
    ),
    "ccvid": Source(
        title="CCVID",
        pages=(
            "https://github.com/guxinqian/Simple-CCReID",
            "http://cvlab.cse.msu.edu/frontal-view-gaitfvg-database.html",
        ),
        terms="made of the FVG gait database, whose terms (second page) apply; today FVG is given out with blurred "
        "faces only, so ask before you use an older copy; cite Gu et al., CVPR 2022, and Zhang et al., CVPR 2019",
        size="226 persons, 2,856 tracklets, 347,833 frames; the size of the archive is not certain",
        steps=("get CCVID.zip by the link of the official page, and extract it",),
        layout="CCVID/{session1, session2, session3, train.txt, query.txt, gallery.txt}",
        preset="standin-ccvid",
    ),
    "ls_vid": Source(
        title="LS-VID",
        pages=(
            "https://www.pkuvmc.com/dataset/dataset.html",
            "https://www.pkuvmc.com/agreement/RELEASE%20AGREEMENT-LS-VID.pdf",
        ),
        terms="on a signed release agreement (second page) only; cite Li et al., ICCV 2019",
        size="3,772 persons, 14,943 tracklets, 2,982,685 frames; the size of the archives is not certain",
        steps=("sign the agreement and send it to the authors", "extract what they send"),
        layout="LS-VID/{list_sequence, test/data/info_test.mat, tracklet_train, tracklet_test}",
    ),
    "svreid": Source(
        title="SVReID",
        pages=("https://github.com/XiangqunZhang/UDA_Video_ReID",),
        terms="people of a video game, none real; a licence is not stated, and the game's own terms may apply: ask the "
        "authors before you pass it on",
        size="333 persons, 1,164 tracklets (3,187 with clothes changes); the size of the archive is not certain",
        steps=("get the archive by the link in the README of the official page, and extract it",),
        layout="SVReID/{train_svreid.txt, train_svreid_cc.txt, train_svreid_plus.txt, query.txt, gallery.txt, ...}",
        preset="svreid",
    ),
}


def find(name: str) -> str:
    """Say how to get a dataset or a stand-in, for a person to read; raise `ValueError` for a name that is none."""
    plain = name.lower().replace("-", "_")
    rendered = {source.preset: key for key, source in SOURCES.items() if source.preset and source.preset != key}
    gone = next((why for beginning, why in WITHDRAWN.items() if plain.startswith(beginning)), None)
    if gone:
        raise ValueError(gone)
    if plain in OWN:
        return f"{plain} is a layout for your own recordings ({OWN[plain]}), there is nothing to get: see docs/data.md"
    if plain in SOURCES:
        return _as_text(plain, SOURCES[plain])
    if plain.replace("_", "-") in rendered:
        preset = plain.replace("_", "-")
        return f"{preset} is rendered, nothing is downloaded:\n{_render(preset, rendered[preset])}"
    raise ValueError(f"no dataset named {name!r}: there are {', '.join([*SOURCES, *sorted(map(str, rendered)), *OWN])}")


def _as_text(name: str, source: Source) -> str:
    first, *others = source.pages
    place = f"put it under the data root as {source.layout}, and look at it: s2reid data check {name}"
    steps = [f"  {number}. {step}" for number, step in enumerate([*source.steps, place], 1)]
    lines = [
        f"{source.title}: s2reid downloads nothing; you get it from its owners, on their terms.",
        f"page    {first}",
        *(f"        {page}" for page in others),
        f"terms   {source.terms}",
        f"size    {source.size}",
        "how",
        *steps,
    ]
    if source.preset:
        lines += ["or render one, without any real person:", _render(source.preset, name)]
    return "\n".join(lines)


def _render(preset: str, layout: str) -> str:
    return f"  s2reid world {preset} worlds/{preset}\n  s2reid data check {layout}:worlds/{preset}"
