export interface Change {
  readonly name: string
  readonly before: string
  readonly after: string
}

type Fields = Readonly<Record<string, unknown>>

/** The fields that differ between what a thing was and what it became; of a new thing all that it has. */
export function changesIn(data: unknown): Change[] {
  const { before, after, entityId } = fieldsOf(data)
  const [was, is] = [fieldsOf(before), fieldsOf(after)]
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])]
  const changes = names
    .map((name) => ({ name, before: textOf(was[name]), after: textOf(is[name]) }))
    .filter((change) => change.before !== change.after)
  return 'id' in was || 'id' in is
    ? changes
    : [{ name: 'id', before: textOf(entityId), after: textOf(entityId) }, ...changes]
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}
