"""One root: its data, configuration and sources, as views that server and command line share.

`Project` is what they talk to. The other names here are the values that it answers with.
"""

from covls.project.arrival import Refreshed, State, Status
from covls.project.patch import Patch, PatchFile
from covls.project.project import Project
from covls.project.report import FileReport, ReportFile
from covls.project.view import FileView

__all__ = [
    "FileReport",
    "FileView",
    "Patch",
    "PatchFile",
    "Project",
    "Refreshed",
    "ReportFile",
    "State",
    "Status",
]
