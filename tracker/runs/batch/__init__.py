"""``tracker batch``: many videos and image folders, by processes of this computer or a Ray cluster."""
