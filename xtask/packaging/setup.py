"""The wheel of dyno: the release folder below `lib/dyno` of the environment, a command that starts the program there, and the
client. Called by `cargo xtask dist`, in a folder with `release`, `client` and `dyno`."""

import os
from pathlib import Path

from setuptools import find_packages, setup


def release():
    """The files of the release, by the folder that they go to."""
    for folder, _, names in os.walk("release"):
        place = Path("lib/dyno") / Path(folder).relative_to("release")
        yield str(place), [os.path.join(folder, name) for name in names]


setup(
    name="dyno-bench",
    version=os.environ["DYNO_VERSION"],
    description="A host for benchmarks that others ship as plugins: the programs, and a client of their server",
    license="MIT OR Apache-2.0",
    python_requires=">=3.10",
    install_requires=["httpx>=0.27"],
    packages=find_packages("client"),
    package_dir={"": "client"},
    package_data={"dyno_client": ["py.typed"]},
    entry_points={"console_scripts": ["dyno-client = dyno_client.cli:main"]},
    scripts=["dyno"],
    data_files=list(release()),
)
