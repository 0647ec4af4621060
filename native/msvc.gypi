{
  # How an addon of this repository is compiled and linked with MSVC.
  'conditions': [
    ['OS=="win"', {
      'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
      'defines': [
        'NAPI_VERSION=8',
        'NAPI_DISABLE_CPP_EXCEPTIONS',
        'NODE_ADDON_API_ENABLE_MAYBE',
        'NODE_ADDON_API_DISABLE_DEPRECATED',
        # A terminated worker takes no exception, and must not end the process.
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        '_WIN32_WINNT=0x0602',
        'WINVER=0x0602',
        'UNICODE',
      ],
      'libraries': ['ws2_32.lib'],
      # node.exe 26 is built with clang and thin LTO, and node-gyp up to 12 hands its
      # options on to MSVC, whose linker ends at them (nodejs/node#64674).
      'configurations': {
        'Release': {
          'msvs_settings': {
            'VCCLCompilerTool': {'AdditionalOptions/': [['exclude', 'flto']]},
            'VCLibrarianTool': {'AdditionalOptions/': [['exclude', 'flto']]},
            'VCLinkerTool': {'AdditionalOptions/': [['exclude', 'flto'], ['exclude', 'lldltojobs']]},
          },
        },
      },
      'msvs_settings': {
        'VCCLCompilerTool': {
          'ExceptionHandling': 0,
          'RuntimeTypeInfo': 'false',
          'WarningLevel': 4,
          'WarnAsError': 'true',
          'AdditionalOptions': [
            '/guard:cf',
            '/sdl',
            '/Brepro',
            # Warnings are for this repository's code, not for <napi.h>.
            '/external:anglebrackets',
            '/external:W0',
          ],
        },
        'VCLinkerTool': {
          'AdditionalOptions': ['/guard:cf', '/DYNAMICBASE', '/Brepro'],
        },
      },
    }, {
      # Nothing to build elsewhere.
      'type': 'none',
    }],
  ],
}
