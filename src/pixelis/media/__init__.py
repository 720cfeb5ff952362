"""Pictures and videos, decoded safely. `open_media` takes whatever a user has."""

from pixelis.media.limits import Limits
from pixelis.media.open import open_media
from pixelis.media.picture import Picture, open_picture
from pixelis.media.video import Video, open_video

__all__ = ["Limits", "Picture", "Video", "open_media", "open_picture", "open_video"]
