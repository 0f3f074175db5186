"""The package. Exact versions known to work together are in requirements/lock.txt."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
version: dict = {}
exec((HERE / 'mmtube' / 'version.py').read_text(), version)

setup(
    name='mmtube',
    version=version['__version__'],
    description='Who does what, where and when in untrimmed video: tubes, IDs, atomic actions and complex activities',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10,<3.13',
    packages=find_packages(include=['mmtube', 'mmtube.*']),
    # mmtube/.mim/configs leads to configs/, the place where MMEngine looks for 'mmtube::...' names.
    package_data={
        'mmtube': [
            '.mim/configs/**/*',
            'assets/*',
            'assets/label_maps/*',
            'assets/viewer/*',
            'structures/io/*.json',
            'py.typed',
        ]
    },
    install_requires=[
        'torch>=2.6',
        'numpy>=1.24,<2',
        'scipy>=1.11',
        'opencv-contrib-python-headless>=4.8,<4.12',
        'av>=17',
        'pillow',
        'rich',
        'matplotlib',
        'mmengine>=0.10.4',
        'mmcv-lite>=2.1,<2.2',
        'mmdet>=3.3',
        'mmaction2>=1.2',
        'importlib_metadata',
    ],
    extras_require={
        'ops': ['mmcv>=2.1,<2.2'],
        'ray': ['ray>=2.9'],
        'dev': ['pytest', 'hypothesis', 'jsonschema', 'motmetrics', 'ruff', 'mypy', 'pre-commit'],
    },
    zip_safe=False,
)
