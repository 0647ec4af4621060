// The Wine that stands in for a Windows with the fast path: its Winsock is that of
// test/winsock, which accepts the ioctl where Windows is documented to, for every
// process, and nothing in it says that it is Wine.

/**
 * Changes the Wine prefix, which is an overlay of this run alone, and runs $@.
 *
 * Wine's own ws2_32.dll becomes winews2.dll: a builtin finds its other half, the .so,
 * by its file's name, in the folders of WINEDLLPATH. The mark that Wine puts behind
 * the DOS header of its DLLs is taken out of ntdll.dll, where programs look for it;
 * Wine itself loads that one from elsewhere.
 */
const SCRIPT = `
own=/usr/lib/x86_64-linux-gnu/wine
system="$WINEPREFIX/drive_c/windows/system32"
mkdir -p /run/winsock/x86_64-windows /run/winsock/x86_64-unix
cp "$own/x86_64-windows/ws2_32.dll" /run/winsock/x86_64-windows/winews2.dll
cp "$own/x86_64-unix/ws2_32.so" /run/winsock/x86_64-unix/winews2.so
cp "$own/x86_64-windows/ws2_32.dll" "$system/winews2.dll"
cp "$1" "$system/ws2_32.dll"
head -c 32 /dev/zero | dd of="$system/ntdll.dll" bs=1 seek=64 conv=notrunc status=none
shift
export WINEDLLPATH=/run/winsock WINEDLLOVERRIDES=ws2_32=n,b
exec "$@"`;

/** Where npm run build:native puts it, inside. */
const WINSOCK = '/checkout/build/x64/Release/ws2_32.dll';

/** A command for runInside(), with the Wine that it starts accepting the ioctl. */
export function onAcceptingWine(command) {
  return ['sh', '-ec', SCRIPT, 'sh', WINSOCK, ...command];
}
