"""`python -m kit.explore.serve NOTEBOOK`: voila behind the same doors as JupyterLab.

voila by itself answers everybody, whatever name they call it by: any account of the machine, and
any web page whose host name leads here. Here it asks for a token, which the browser that it opens
is given, and refuses requests under names that are not this machine's.
"""

from __future__ import annotations

from typing import Any

from traitlets import Bool
from voila.app import Voila


class App(Voila):
    """voila with a token and a check of the Host header."""

    auto_token = Bool(True, help="Generate token automatically").tag(config=True)

    def init_settings(self) -> dict[str, Any]:
        """Settings of the web application."""
        names = ["localhost", self.ip] if self.ip else ["localhost"]
        own = {"allow_remote_access": False, "local_hostnames": names}
        return {**super().init_settings(), **own}


if __name__ == "__main__":
    App.launch_instance()
