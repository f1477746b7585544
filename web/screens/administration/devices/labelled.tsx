import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Navigate } from '@tanstack/react-router'
import { Problem, query } from '../../../api.ts'
import { ProblemNote } from '../../../controls/problem-note.tsx'
import { Skeleton } from '../../../controls/skeleton.tsx'
import { NotFound } from '../../../shell/not-found.tsx'

const route = getRouteApi('/devices/$deviceId')

/** Where the label of a device leads: to its refrigerator, or to the device as long as it watches none. */
export function Labelled() {
  const { deviceId } = route.useParams()
  const device = useQuery(query('getDevice', { params: { id: deviceId } }))
  if (device.error instanceof Problem && [400, 404].includes(device.error.status)) return <NotFound />
  if (device.isError) return <ProblemNote problem={device.error} onRetry={() => void device.refetch()} />
  if (!device.data) return <Skeleton rows={2} />
  const { equipmentId } = device.data
  return equipmentId === null ? (
    <Navigate to="/administration/devices/$deviceId" params={{ deviceId }} replace />
  ) : (
    <Navigate to="/refrigerators/$equipmentId" params={{ equipmentId }} replace />
  )
}
