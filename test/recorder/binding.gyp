{
  'targets': [
    {
      'target_name': 'winsock-recorder',
      'includes': ['../../native/msvc.gypi'],
      'conditions': [['OS=="win"', { 'sources': ['recorder.cc'] }]],
    },
  ],
}
