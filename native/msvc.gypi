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
