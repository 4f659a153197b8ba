"""Serves the JupyterLab front-end that was built from npm, by Debian's jupyterlab_server. Called by `environment/lab`."""
import os

from jupyterlab_server import LabServerApp

HERE = os.path.dirname(os.path.abspath(__file__))


def _jupyter_server_extension_points():
    return [{"module": __name__, "app": RecallLabApp}]


class RecallLabApp(LabServerApp):
    name = "lab"
    app_name = "JupyterLab"
    app_version = "3.6.8"
    load_other_extensions = False
    static_dir = os.path.join(HERE, "build")
    templates_dir = os.path.join(HERE, "templates")
    app_settings_dir = os.path.join(static_dir, "application_settings")
    schemas_dir = os.path.join(static_dir, "schemas")
    themes_dir = os.path.join(static_dir, "themes")
    user_settings_dir = os.path.join(HERE, "user", "settings")
    workspaces_dir = os.path.join(HERE, "user", "workspaces")

    def initialize_settings(self):
        super().initialize_settings()
        # the news plug-in would ask the network and open a pop-up
        self.settings.setdefault("page_config_data", {}).update(
            exposeAppInBrowser=True, quitButton=False, disabledPlugins="@jupyterlab/apputils-extension:announcements",
            fullMathjaxUrl=self.serverapp.base_url + "static/lab/mathjax/MathJax.js")


if __name__ == "__main__":
    RecallLabApp.launch_instance()
