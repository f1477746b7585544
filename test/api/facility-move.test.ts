import * as fc from 'fast-check'
import { test } from 'tap'
import { LEVELS } from '../../domain/role.ts'
import { openWorld } from './world.ts'

test('however facilities are moved, every path is that of its parent and its own id', async (t) => {
  const world = await openWorld(t)
  const { post, patch, admin, db } = world
  const timeZone = 'UTC'
  const ids: string[] = []
  const roots = await Promise.all(
    ['R1', 'R2'].map((name) => world.make('/v1/facilities', { name, level: 'country', timeZone })),
  )
  ids.push(...roots)

  const pathsAreRight = async () => {
    const rows = await db.selectFrom('facility').selectAll().execute()
    const byId = new Map(rows.map((row) => [row.id, row]))
    return rows.every((row) => {
      const parent = row.parentId === null ? undefined : byId.get(row.parentId)
      const goesDown = !parent || LEVELS.indexOf(parent.level) < LEVELS.indexOf(row.level)
      return goesDown && row.path === `${parent?.path ?? ''}${row.id}/`
    })
  }
  const step = fc.record({
    kind: fc.constantFrom('create', 'move', 'move'),
    level: fc.constantFrom(...LEVELS.slice(1)),
    which: fc.nat(),
    parent: fc.nat(),
  })
  const apply = async ({
    kind,
    level,
    which,
    parent,
  }: {
    kind: string
    level: string
    which: number
    parent: number
  }) => {
    const parentId = ids[parent % ids.length]
    if (kind === 'create') {
      const { status, body } = await post('/v1/facilities', admin, { name: 'F', level, parentId, timeZone })
      if (status === 201) ids.push(String(body['id']))
      return status
    }
    return (await patch(`/v1/facilities/${ids[which % ids.length]}`, admin, { parentId })).status
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 15 }), async (steps) => {
      // Two at a time: a move and what happens beside it.
      for (let i = 0; i < steps.length; i += 2) {
        const statuses = await Promise.all(steps.slice(i, i + 2).map(apply))
        if (!statuses.every((status) => [200, 201, 409].includes(status))) return false
      }
      return pathsAreRight()
    }),
    { numRuns: 15 },
  )
  const moved = await db.selectFrom('audit').select('id').where('action', '=', 'facility.moved').execute()
  t.ok(moved.length > 5, 'something moved')
  t.ok(ids.length > 10)
})
