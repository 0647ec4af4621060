{
  'targets': [
    {
      'target_name': 'loopback-twin',
      'includes': ['../../native/msvc.gypi'],
      'conditions': [
        ['OS=="win"', {
          'type': 'executable',
          'product_extension': 'exe',
          'win_delay_load_hook': 'false',
          'sources': ['twin.cc'],
        }],
      ],
    },
  ],
}
