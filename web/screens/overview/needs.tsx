import { Link, type LinkProps } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useMay } from '../../api.ts'
import page from '../../controls/page.module.css'
import { Chip } from '../../controls/chip.tsx'
import { Icon } from '../../controls/icon.tsx'
import { useFormat } from '../../format.ts'
import { useMessages } from '../../messages.ts'
import type { Breach, Overview, StatedEquipment } from '../../operations.ts'
import { KindChip, nameOf, secondsOf, worstOf } from '../breaches/describe.tsx'
import { breachMessages } from '../breaches/messages.ts'
import { today } from '../stock/lines.ts'
import { overviewMessages } from './messages.ts'
import styles from './overview.module.css'
import type { States } from './states.ts'

interface Props {
  readonly overview: Overview
  readonly states: States
  /** When it was asked, epoch milliseconds. */
  readonly asOf: number
}

/** What needs somebody, in the order in which it does; what does not is one line. */
export function Needs({ overview, states, asOf }: Props) {
  const t = useMessages(overviewMessages)
  const { breaches, stockOuts, expiring, orders } = overview
  const counts = [breaches.count, states.silent, stockOuts.count, expiring.count, orders.count]
  if (counts.every((count) => count === 0))
    return <Nothing states={states} asOf={asOf} timeZone={overview.place?.timeZone ?? null} />
  return (
    <section aria-label={t.needs} className={styles['column']}>
      <Breaches of={overview} />
      <Silent of={overview} count={states.silent} />
      <StockOuts of={overview} />
      <Expiring of={overview} />
      <Orders of={overview} />
    </section>
  )
}

interface NothingProps extends Omit<Props, 'overview'> {
  readonly timeZone: string | null
}

/** Calm, and what that rests on. */
function Nothing({ states, asOf, timeZone }: NothingProps) {
  const t = useMessages(overviewMessages)
  const format = useFormat()
  const isEmpty = Object.values(states).every((count) => count === 0)
  return (
    <div className={styles['nothing']}>
      <Icon name="check" />
      <p className={page['strong']}>{t.nothing}</p>
      {states['in-range'] > 0 && <p>{t.inRange(states['in-range'])}</p>}
      {states.unknown > 0 && <p>{t.unknown(states.unknown)}</p>}
      {isEmpty && <p>{t.noEquipment}</p>}
      <p className={page['soft']}>{t.asOf(format.time(new Date(asOf).toISOString(), timeZone))}</p>
    </div>
  )
}

interface SectionProps {
  readonly title: string
  readonly none: string
  readonly count: number
  readonly facts?: ReactNode
  /** Opens all of it. */
  readonly all: ReactNode
  readonly children: ReactNode
}

function Section({ title, none, count, facts, all, children }: SectionProps) {
  const format = useFormat()
  if (count === 0)
    return (
      <p className={styles['none']}>
        <Icon name="check" /> {none}
      </p>
    )
  return (
    <section className={styles['need']}>
      <header>
        <h2>
          {title} <span className={styles['count']}>{format.number(count)}</span>
        </h2>
        {facts}
      </header>
      <ul className={styles['items']}>{children}</ul>
      {all}
    </section>
  )
}

interface OfProps {
  readonly of: Overview
}

function searchOf({ place }: Overview): { readonly facilityId?: string } {
  return place ? { facilityId: place.id } : {}
}

function Breaches({ of }: OfProps) {
  const t = useMessages(overviewMessages)
  const { count, waiting, dosesAtRisk, items } = of.breaches
  return (
    <Section
      title={t.breaches}
      none={t.noBreaches}
      count={count}
      facts={
        <p className={styles['chips']}>
          {dosesAtRisk > 0 && (
            <Chip state="warm" icon="box">
              {t.atRisk(dosesAtRisk)}
            </Chip>
          )}
          {waiting > 0 && (
            <Chip state="warm" icon="alarm">
              {t.waiting(waiting)}
            </Chip>
          )}
        </p>
      }
      all={
        <Link to="/breaches" search={searchOf(of)} className={styles['all']}>
          {t.allBreaches}
        </Link>
      }
    >
      {items.map((breach) => (
        <BreachRow key={breach.id} breach={breach} />
      ))}
    </Section>
  )
}

function BreachRow({ breach }: { readonly breach: Breach }) {
  const t = useMessages(overviewMessages)
  const { acknowledgedOpen } = useMessages(breachMessages)
  const format = useFormat()
  const worst = worstOf(breach, format)
  return (
    <li>
      <div>
        <Link to="/breaches/$breachId" params={{ breachId: breach.id }} className={page['name']}>
          {nameOf(breach)}
        </Link>
        <p className={page['soft']}>{breach.facilityName}</p>
      </div>
      <p className={styles['chips']}>
        <KindChip breach={breach} />
        {breach.acknowledgedAt !== null && (
          <Chip state="silent" icon="clock">
            {acknowledgedOpen}
          </Chip>
        )}
      </p>
      <p className={styles['facts']}>
        {worst !== undefined && <strong>{worst} </strong>}
        {t.for(format.span(secondsOf(breach, Date.now())))}
      </p>
    </li>
  )
}

function Silent({ of, count }: OfProps & { readonly count: number }) {
  const t = useMessages(overviewMessages)
  return (
    <Section
      title={t.silent}
      none={t.noSilent}
      count={count}
      all={
        <Link to="/refrigerators" search={{ state: 'silent', ...searchOf(of) }} className={styles['all']}>
          {t.allSilent}
        </Link>
      }
    >
      {of.silent.items.map((row) => (
        <SilentRow key={row.id} row={row} />
      ))}
    </Section>
  )
}

function SilentRow({ row: { id, name, facilityName, since, cause } }: { readonly row: StatedEquipment }) {
  const t = useMessages(overviewMessages)
  const { causes } = useMessages(breachMessages)
  const format = useFormat()
  return (
    <li>
      <div>
        <Link to="/refrigerators/$equipmentId" params={{ equipmentId: id }} className={page['name']}>
          {name}
        </Link>
        <p className={page['soft']}>{facilityName}</p>
      </div>
      {cause !== null && (
        <p className={styles['chips']}>
          <Chip state="silent">{causes[cause]}</Chip>
        </p>
      )}
      {since !== null && (
        <p className={styles['facts']}>{t.for(format.span((Date.now() - Date.parse(since)) / 1000))}</p>
      )}
    </li>
  )
}

function StockOuts({ of }: OfProps) {
  const t = useMessages(overviewMessages)
  const { count, items } = of.stockOuts
  return (
    <Section
      title={t.stockOuts}
      none={t.noStockOuts}
      count={count}
      all={
        <Link
          to="/reports/$name"
          params={{ name: 'stock-outs' }}
          search={searchOf(of)}
          className={styles['all']}
        >
          {t.allStockOuts}
        </Link>
      }
    >
      {items.map(({ facilityId, facilityName, itemId, itemName }) => (
        <li key={`${facilityId} ${itemId}`}>
          <div>
            <Link to="/stock/$itemId" params={{ itemId }} search={{ facilityId }} className={page['name']}>
              {itemName}
            </Link>
            <p className={page['soft']}>{facilityName}</p>
          </div>
        </li>
      ))}
    </Section>
  )
}

function Expiring({ of }: OfProps) {
  const t = useMessages(overviewMessages)
  const { day: format } = useFormat()
  const { count, items } = of.expiring
  return (
    <Section
      title={t.expiring}
      none={t.noExpiring}
      count={count}
      all={
        <Link
          to="/reports/$name"
          params={{ name: 'expiry-risk' }}
          search={searchOf(of)}
          className={styles['all']}
        >
          {t.allExpiring}
        </Link>
      }
    >
      {items.map(({ facilityId, facilityName, itemId, itemName, lotId, lotCode, expiresOn, doses }) => (
        <li key={`${facilityId} ${lotId}`}>
          <div>
            <Link to="/stock/$itemId" params={{ itemId }} search={{ facilityId }} className={page['name']}>
              {itemName}
            </Link>
            <p className={page['soft']}>
              {facilityName} · {t.lot(lotCode)}
            </p>
          </div>
          {expiresOn < today() && (
            <p className={styles['chips']}>
              <Chip state="warm" icon="alarm">
                {t.expired}
              </Chip>
            </p>
          )}
          <p className={styles['facts']}>
            <strong>{t.doses(doses)} </strong>
            {t.expires(format(expiresOn))}
          </p>
        </li>
      ))}
    </Section>
  )
}

function Orders({ of }: OfProps) {
  const t = useMessages(overviewMessages)
  const may = useMay('listOrders')
  const { count, items } = of.orders
  if (!may) return undefined
  return (
    <Section
      title={t.orders}
      none={t.noOrders}
      count={count}
      all={
        <Link {...toOrders(ORDERS, { waitingFor: 'me', ...searchOf(of) })} className={styles['all']}>
          {t.allOrders}
        </Link>
      }
    >
      {items.map(({ id, documentNo, kind, status, fromFacilityName, toFacilityName }) => (
        <li key={id}>
          <div>
            <Link {...toOrders(`${ORDERS}/${id}`, {})} className={page['name']}>
              {t.order(documentNo)}
            </Link>
            <p className={page['soft']}>
              {t.kinds[kind]}: {fromFacilityName} → {toFacilityName}
            </p>
          </div>
          <p className={styles['chips']}>
            <Chip state="silent" icon="truck">
              {t.statuses[status]}
            </Chip>
          </p>
        </li>
      ))}
    </Section>
  )
}

const ORDERS = '/orders'

/** By its address: the screen of orders is no part of this one. */
function toOrders(to: string, search: object): LinkProps {
  return { to, search } as LinkProps
}
