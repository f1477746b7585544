import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { geoCentroid, geoMercator, geoPath, type GeoProjection } from 'd3-geo'
import type { MultiPoint, Polygon, Position } from 'geojson'
import { useLayoutEffect, useMemo, useState } from 'react'
import { feature } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import atlasUrl from 'world-atlas/countries-50m.json?url'
import page from '../../controls/page.module.css'
import { Icon, type IconName } from '../../controls/icon.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { PlaceStates } from '../../operations.ts'
import { overviewMessages } from './messages.ts'
import styles from './overview.module.css'
import { worstOf, type StateName } from './states.ts'

/** Where there are more places, those that need somebody most are drawn; all are in the list. */
const MARKS_MAX = 400
const HEIGHT_SHARE = 0.62
const MARGIN_PX = 36
/** Half a degree across a phone: shores and borders are not known any closer. */
const SCALE_MAX = 40_000

const ICONS: Readonly<Record<StateName, IconName>> = {
  warm: 'up',
  cold: 'snow',
  silent: 'offline',
  unknown: 'question',
  'in-range': 'check',
}

interface Located extends PlaceStates {
  readonly latitude: number
  readonly longitude: number
}

/** Where the places are and how; for the eye and the pointer, since the list beside it says and does the same. */
export default function PlaceMap({ places }: { readonly places: readonly PlaceStates[] }) {
  const t = useMessages(overviewMessages)
  const [box, setBox] = useState<HTMLElement | null>(null)
  const width = useWidth(box)
  const height = Math.round(width * HEIGHT_SHARE)
  const below = places.filter(({ isItself }) => !isItself)
  const located = below.filter(isLocated)
  const marks = located.slice(0, MARKS_MAX)
  // Counts change often, and places hardly ever.
  const where = JSON.stringify(marks.map(({ longitude, latitude }) => [longitude, latitude]))
  const projection = useMemo(() => projectionOf(JSON.parse(where), width, height), [where, width, height])
  if (located.length === 0 && below.length > 0)
    return <p className={page['soft']}>{t.unlocated(below.length)}</p>
  return (
    <figure ref={setBox} className={styles['map']}>
      {projection && (
        <svg viewBox={`0 0 ${width} ${height}`} width={width} height={height} aria-hidden="true">
          <Land projection={projection} width={width} height={height} />
          {marks.toReversed().map((place) => (
            <Mark key={place.facilityId} place={place} at={projection([place.longitude, place.latitude])} />
          ))}
        </svg>
      )}
      <figcaption className={page['soft']}>
        {t.mapOf(marks.length)}
        {located.length < below.length && <> {t.unlocated(below.length - located.length)}</>}
      </figcaption>
    </figure>
  )
}

function isLocated(place: PlaceStates): place is Located {
  return place.latitude !== null && place.longitude !== null
}

function useWidth(box: HTMLElement | null): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    if (!box) return
    const measure = () => setWidth(Math.floor(box.clientWidth))
    measure()
    const watch = new ResizeObserver(measure)
    watch.observe(box)
    return () => watch.disconnect()
  }, [box])
  return width
}

/** All of them with a margin, turned so that no date line parts them. */
function projectionOf(
  coordinates: [number, number][],
  width: number,
  height: number,
): GeoProjection | undefined {
  if (coordinates.length === 0 || width === 0) return undefined
  const points: MultiPoint = { type: 'MultiPoint', coordinates }
  const [longitude, latitude] = geoCentroid(points)
  const projection = geoMercator().rotate([-longitude, 0])
  const extent: [[number, number], [number, number]] = [
    [MARGIN_PX, MARGIN_PX],
    [width - MARGIN_PX, height - MARGIN_PX],
  ]
  projection.fitExtent(extent, points)
  if (!(projection.scale() < SCALE_MAX))
    projection
      .scale(SCALE_MAX)
      .center([0, latitude])
      .translate([width / 2, height / 2])
  // A little further, so that the edge is no shore.
  return projection.clipExtent([
    [-MARGIN_PX, -MARGIN_PX],
    [width + MARGIN_PX, height + MARGIN_PX],
  ])
}

interface Atlas extends Topology {
  readonly objects: { readonly countries: GeometryCollection }
}

/** A piece of land with where it lies, in degrees, so that only what is in view is drawn. */
interface Piece {
  readonly polygon: Polygon
  readonly west: number
  readonly width: number
  readonly south: number
  readonly north: number
}

async function loadPieces({ signal }: { readonly signal: AbortSignal }): Promise<Piece[]> {
  const response = await fetch(atlasUrl, { signal })
  if (!response.ok) throw new Error(`${atlasUrl}: ${response.status}`)
  const atlas = (await response.json()) as Atlas
  return feature(atlas, atlas.objects.countries).features.flatMap(({ geometry }) => {
    if (geometry.type === 'Polygon') return [pieceOf(geometry.coordinates)]
    return geometry.type === 'MultiPolygon' ? geometry.coordinates.map(pieceOf) : []
  })
}

function pieceOf(coordinates: Position[][]): Piece {
  const shore = coordinates[0] ?? []
  const longitudes = shore.map(([longitude = 0]) => longitude)
  const latitudes = shore.map(([, latitude = 0]) => latitude)
  const west = Math.min(...longitudes)
  return {
    polygon: { type: 'Polygon', coordinates },
    west,
    width: Math.max(...longitudes) - west,
    south: Math.min(...latitudes),
    north: Math.max(...latitudes),
  }
}

function inView(pieces: readonly Piece[], projection: GeoProjection, width: number, height: number): Piece[] {
  const [west = 0, north = 90] = projection.invert?.([0, 0]) ?? []
  const [east = 0, south = -90] = projection.invert?.([width, height]) ?? []
  const isRound = 2 * Math.PI * projection.scale() <= width
  const view = isRound ? 360 : eastward(west, east)
  return pieces.filter(
    (piece) =>
      piece.north >= south &&
      piece.south <= north &&
      (eastward(west, piece.west) <= view || eastward(piece.west, west) <= piece.width),
  )
}

/** How many degrees one goes east from one meridian to another. */
function eastward(from: number, to: number): number {
  return (((to - from) % 360) + 360) % 360
}

interface LandProps {
  readonly projection: GeoProjection
  readonly width: number
  readonly height: number
}

/** Shores and borders; without them the places are still where they are. */
function Land({ projection, width, height }: LandProps) {
  const { data } = useQuery({
    queryKey: ['atlas'],
    queryFn: loadPieces,
    staleTime: Infinity,
    gcTime: Infinity,
  })
  const path = useMemo(() => {
    if (!data) return undefined
    const geometries = inView(data, projection, width, height).map(({ polygon }) => polygon)
    return geoPath(projection).digits(1)({ type: 'GeometryCollection', geometries }) ?? undefined
  }, [data, projection, width, height])
  return <path className={styles['land']} d={path} />
}

interface MarkProps {
  readonly place: Located
  readonly at: readonly [number, number] | null
}

function Mark({ place, at }: MarkProps) {
  const format = useFormat()
  const worst = worstOf(place)
  if (!at) return undefined
  const isCalm = worst === undefined || worst === 'in-range'
  return (
    <g transform={`translate(${at[0].toFixed(1)} ${at[1].toFixed(1)}) scale(${isCalm ? 0.6 : 1})`}>
      <Link
        to="/"
        search={{ facilityId: place.facilityId }}
        tabIndex={-1}
        className={styles['mark']}
        data-state={worst ?? 'unknown'}
      >
        <title>{place.name}</title>
        <circle r="14" />
        {worst && (
          <g transform="translate(-10 -10)">
            <Icon name={ICONS[worst]} />
          </g>
        )}
        {worst && !isCalm && (
          <text x="17" y="5">
            {format.number(place.states[worst])}
          </text>
        )}
      </Link>
    </g>
  )
}
