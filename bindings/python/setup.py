"""The part of the build that pyproject.toml cannot say: a wheel with the shared library in it is of one platform, and
fits every Python 3, as nothing in it is compiled against Python. tools/wheel.py makes that one."""

import pathlib

from setuptools import setup
from setuptools.dist import Distribution

try:
    from setuptools.command.bdist_wheel import bdist_wheel  # setuptools 70.1 and later
except ImportError:
    from wheel.bdist_wheel import bdist_wheel

HAS_LIBRARY = any((pathlib.Path(__file__).parent / "intmill").glob("libintmill.so*"))


class PlatformWheel(bdist_wheel):
    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class WithLibrary(Distribution):
    def has_ext_modules(self):
        return HAS_LIBRARY


setup(distclass=WithLibrary, cmdclass={"bdist_wheel": PlatformWheel})
