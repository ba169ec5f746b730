"""A build backend that builds nothing and runs no setup.py.

pip insists on a project's metadata before it leaves an sdist in the folder of
`pip download`, and most setup.py of ten or twenty years ago do not run today.
Name and version, from PKG-INFO or else from the folder, are all it needs.
"""
import email
import os


def name_and_version():
    if os.path.exists('PKG-INFO'):
        with open('PKG-INFO', encoding='utf-8', errors='replace') as text:
            info = email.message_from_file(text)
        return info['Name'], info['Version']
    return os.path.basename(os.getcwd()).rsplit('-', 1)


class Backend:
    def get_requires_for_build_wheel(self, config_settings=None):
        return []

    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        name, version = name_and_version()
        made = f'{name.replace("-", "_")}-{version}.dist-info'
        os.makedirs(os.path.join(folder, made))
        with open(os.path.join(folder, made, 'METADATA'), 'w') as out:
            out.write('Metadata-Version: 2.1\n'
                      f'Name: {name}\nVersion: {version}\n')
        return made


__legacy__ = Backend()
