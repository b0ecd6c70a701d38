"""Readers of all label formats, with one convention: 0-based pixels, (0, 0) the top-left pixel's centre.

Each format has a module of its own; ``faces`` and ``text`` hold their common parts.
"""

from train.data.asf import Shot, read_asf, read_imm_folder
from train.data.dlib_xml import read_dlib_xml
from train.data.faces import IMAGE_SUFFIXES, LabelledFace
from train.data.pts import FOLDERS_300W, read_300w, read_pts, read_pts_folder, write_pts
from train.data.wflw import WFLW_TO_68, read_wflw_list
from train.data.youtube import read_youtube_csv

__all__ = [
    "FOLDERS_300W",
    "IMAGE_SUFFIXES",
    "WFLW_TO_68",
    "LabelledFace",
    "Shot",
    "read_300w",
    "read_asf",
    "read_dlib_xml",
    "read_imm_folder",
    "read_pts",
    "read_pts_folder",
    "read_wflw_list",
    "read_youtube_csv",
    "write_pts",
]
