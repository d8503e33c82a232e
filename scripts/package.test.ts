import { expect, test } from 'vitest'
import { librariesToShip } from './package.mjs'

const ldd = `	linux-vdso.so.1 (0x00007fc58ea8f000)
	libhwy.so.1 => /lib/x86_64-linux-gnu/libhwy.so.1 (0x00007fc58c984000)
	libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007fc58c8a4000)
	libstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007fa406a00000)
	libcrypto.so.3 => /opt/with space/libcrypto.so.3 (0x00007fa406a00000)
	/lib64/ld-linux-x86-64.so.2 (0x00007fa409056000)
`
test('what a plain system does not have is shipped', () => {
  expect(librariesToShip(ldd)).toEqual(['/lib/x86_64-linux-gnu/libhwy.so.1', '/opt/with space/libcrypto.so.3'])
})
test('a library that is not here cannot be shipped', () => {
  expect(() => librariesToShip(`${ldd}\tlibx.so => not found\n`)).toThrow('lacks libx.so')
})
