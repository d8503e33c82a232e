import { expect, test, vi } from 'vitest'
import type { RunSummary } from '../../electron/contract/history.ts'
import { found, paletteOf, score } from './palette.ts'

test('every word typed must stand in the text; beginnings of words count more', () => {
  expect(score('Export the run', 'exp run')).toBeGreaterThan(0)
  expect(score('Export the run', 'exp walk')).toBe(0)
  expect(score('Export the run', 'ex')).toBeGreaterThan(score('Next run', 'ex'))
  expect(score('Show layers', 'lay')).toBeGreaterThan(score('Replay', 'lay'))
  expect(score('anything', '  ')).toBe(1)
})

test('the best come first, equals stay in their order, no more than wanted', () => {
  const texts = ['arb-rc, second', 'rtn', 'arb-rc', 'second arb-rc']
  expect(found(texts, (text) => text, 'arb', 3)).toEqual(['arb-rc, second', 'arb-rc', 'second arb-rc'])
  expect(found(texts, (text) => text, '', 2)).toEqual(['arb-rc, second', 'rtn'])
})

test('commands under their headings, then runs as commands', () => {
  const [run, show] = [vi.fn(), vi.fn()]
  const commands = [
    { id: 'a', title: 'Go to Models', group: 'Views', run },
    { id: 'b', title: 'Pause the queue', group: 'Queue', words: 'stop', run },
    { id: 'c', title: 'Go to Runs', group: 'Views', run },
  ]
  const runs = [{ id: 7, name: 'billm on tiny', method: 'billm' }] as RunSummary[]
  const all = paletteOf(commands, runs, show, '')
  expect(all.map(({ title, commands }) => [title, commands.map(({ id }) => id)])).toEqual([
    ['Views', ['a', 'c']],
    ['Queue', ['b']],
    ['Latest runs', ['run 7']],
  ])
  expect(paletteOf(commands, runs, show, 'stop').map(({ title }) => title)).toEqual(['Queue'])
  const [only] = paletteOf(commands, runs, show, 'run 7')
  only!.commands[0]!.run()
  expect(show).toHaveBeenCalledWith(runs[0])
})
