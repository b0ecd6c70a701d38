"""PyInstaller's hook for the package: its data files, its version, and modules imported by name.

Coverage: PyInstaller runs it while it builds a program; the files that it adds are tested without it.
"""

from PyInstaller.utils.hooks import collect_submodules, copy_metadata

from tracker.distribution import DISTRIBUTION
from tracker.inference.pyinstaller import data_files

datas = data_files() + copy_metadata(DISTRIBUTION)
hiddenimports = collect_submodules("tracker")
