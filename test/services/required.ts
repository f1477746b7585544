/**
 * Answers what tap's `skip` wants: false to run, else why not. With `REQUIRE_SERVICES=1`, as in CI, a missing service is a failure.
 * @param service such as `MariaDB`
 */
export function skipWithout(service: string, present: boolean): false | string {
  if (present) return false
  if (process.env.REQUIRE_SERVICES === '1')
    throw new Error(`${service} is not installed, and REQUIRE_SERVICES is set`)
  return `${service} is not installed`
}
