"""Drawing on pictures: faces, the status panel, anonymising."""
