// What programs of Windows print. None of this was recorded on Windows: it was written
// from Microsoft's documents (the pages of netsh, "TCP/IP performance known issues", the
// classes of WMI) and from what others have published, and stands here until the CI job
// on Windows has shown the real thing. Names of companies and drivers are made up.

/** netsh int ipv4 dump, on a machine where nobody changed anything. */
export const DUMP_OF_DEFAULTS = `
# ----------------------------------
# IPv4 Configuration
# ----------------------------------
pushd interface ipv4

reset
set global


popd
# End of IPv4 configuration

`.replaceAll('\n', '\r\n');

/** The same after \`set gl loopbackexecutionmode=inline\` and \`set gl loopbackworkercount=4\`. */
export const DUMP_OF_CHANGES = `
# ----------------------------------
# IPv4 Configuration
# ----------------------------------
pushd interface ipv4

reset
set global icmpredirects=disabled loopbackworkercount=4 loopbackexecutionmode=inline
set interface interface="Ethernet" forwarding=disabled advertise=disabled nud=enabled
add route prefix=0.0.0.0/0 interface="loopbackexecutionmode=worker" nexthop=192.0.2.1


popd
# End of IPv4 configuration

`.replaceAll('\n', '\r\n');

/** netsh int ipv4 show global on Windows 11 in English. */
export const GLOBAL_IN_ENGLISH = `Querying active state...

General Global Parameters
---------------------------------------------
Default Hop Limit                   : 128 hops
Neighbor Cache Limit                : 256 entries per interface
Route Cache Limit                   : 4096 entries per compartment
Reassembly Limit                    : 267748640 bytes
ICMP Redirects                      : enabled
Source Routing Behavior             : dontforward
Task Offload                        : enabled
Dhcp Media Sense                    : enabled
Media Sense Logging                 : disabled
MLD Level                           : all
MLD Version                         : version3
Multicast Forwarding                : disabled
Group Forwarded Fragments           : disabled
Randomize Identifiers               : enabled
Address Mask Reply                  : disabled
Minimum Mtu                         : 576
Source Based ECMP                   : disabled
Reassembly Out Of Order Limit       : 32
Loopback Large Mtu                  : enabled
Loopback Worker Count               : 2
Loopback Execution Mode             : adaptive

Current Global Statistics
---------------------------------------------
Number of Compartments              : 1
Number of NL clients                : 7
Number of FL providers              : 4

`.replaceAll('\n', '\r\n');

/** The same where labels are translated, "loopback" as well. */
export const GLOBAL_IN_CHINESE = `正在查询活动状态...

常规全局参数
---------------------------------------------
默认跃点限制                        : 128 跃点
邻居缓存限制                        : 每接口 256 项
ICMP 重定向                         : enabled
环回大型 Mtu                        : enabled
环回工作线程计数                    : 2
环回执行模式                        : worker

`.replaceAll('\n', '\r\n');

/** The same in German, where the word stays. */
export const GLOBAL_IN_GERMAN = `Der aktive Status wird abgefragt...

Allgemeine globale Parameter
---------------------------------------------
Standardhoplimit                    : 128 Hops
ICMP-Umleitungen                    : enabled
Große Loopback-MTU                  : disabled
Anzahl der Loopback-Worker          : 8
Loopbackausführungsmodus            : inline

`.replaceAll('\n', '\r\n');

/** Before Windows 10 1809. */
export const GLOBAL_WITHOUT_LOOPBACK = GLOBAL_IN_ENGLISH.replace(/^Loopback .*\r\n/gm, '');

/** What POWERSHELL_SCRIPT of src/cli/powershell.ts prints: three lines. */
export const POWERSHELL_LINES = [
  '{"counter":4294967290}',
  '{"revision":4349,"drivers":[{"company":"Microsoft Corporation","file":"C:\\\\WINDOWS\\\\system32\\\\drivers\\\\mpsdrv.sys"},{"company":"Écran & Söhne","file":"C:\\\\WINDOWS\\\\system32\\\\drivers\\\\guard.sys"}]}',
  '{"counter":4}',
];

/** The same where WMI has no such counter, and lists no driver. */
export const POWERSHELL_LINES_OF_LITTLE = ['{"counter":null}', '{"revision":null,"drivers":[]}', '{"counter":null}'];

/** A TCP_INFO_v0 (mstcpip.h) with another number in each field. */
export function tcpInfoBytes(rttUs = 41): Buffer {
  const bytes = Buffer.alloc(88);
  const u32: [number, number][] = [
    [0, 4],
    [4, 65495],
    [20, rttUs],
    [24, 7],
    [28, 3],
    [32, 4294967295],
    [36, 2619800],
    [40, 2619801],
    [44, 65536],
    [64, 11],
    [68, 12],
    [72, 13],
    [76, 14],
    [80, 15],
  ];
  for (const [at, value] of u32) bytes.writeUInt32LE(value, at);
  bytes.writeBigUInt64LE(2n ** 33n, 8);
  bytes.writeUInt8(1, 16);
  bytes.writeBigUInt64LE(1054976n, 48);
  bytes.writeBigUInt64LE(6400n, 56);
  bytes.writeUInt8(2, 84);
  return bytes;
}
