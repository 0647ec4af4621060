{
  # Windows, with MSVC, through node-gyp or prebuildify. CMakeLists.txt builds
  # the same sources on Linux.
  'targets': [
    {
      'target_name': 'loopback-fast-path',
      'includes': ['native/msvc.gypi'],
      'conditions': [
        ['OS=="win"', {
          'sources': [
            'native/binding.cc',
            'native/host.cc',
            'native/tcp_handle.cc',
            'native/fast_path.cc',
            'native/tcp_info.cc',
            '<!(node native/version-resource.js build/version.rc)',
          ],
        }],
      ],
    },
  ],
}
