{
  # docs/examples/other-end.c with MSVC, as C and as C++. tools/build-native.js builds
  # it on Linux.
  'target_defaults': {
    'conditions': [
      ['OS=="win"', {
        'type': 'executable',
        'product_extension': 'exe',
        'win_delay_load_hook': 'false',
        'sources': ['../../docs/examples/other-end.c'],
        'libraries': ['ws2_32.lib'],
      }, {
        'type': 'none',
      }],
    ],
  },
  'targets': [
    {
      'target_name': 'other-end-c',
      # /TC
      'msvs_settings': {'VCCLCompilerTool': {'CompileAs': 1, 'WarningLevel': 4, 'WarnAsError': 'true'}},
      'defines': ['_CRT_SECURE_NO_WARNINGS'],
    },
    {
      'target_name': 'other-end-cpp',
      # /TP
      'msvs_settings': {'VCCLCompilerTool': {'CompileAs': 2, 'WarningLevel': 4, 'WarnAsError': 'true'}},
      'defines': ['_CRT_SECURE_NO_WARNINGS'],
    },
  ],
}
