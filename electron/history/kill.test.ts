// A short version of scripts/history-kill-test.mjs; by hand it kills two hundred times.
import { expect, test } from 'vitest'
import { capture, inRoot } from '../../scripts/node.mjs'

const play = (...args: string[]) =>
  capture(process.execPath, [inRoot('scripts', 'history-kill-test.mjs'), ...args], { env: process.env })

test('nothing that was acknowledged is lost when writers are killed', async () => {
  const { code, output } = await play('20', '--seed', '7')
  expect(output).toMatch(/^20 kills, [1-9]\d+ acknowledged commits, none lost, integrity ok/)
  expect(code).toBe(0)
})

test('the check finds a commit that is not there', async () => {
  const { code, output } = await play('2', '--lie')
  expect(output).toMatch(/^commit_lost: Run \d+ was acknowledged as finished, and is /)
  expect(code).toBe(1)
})
