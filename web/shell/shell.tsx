import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect, useRef, useSyncExternalStore } from 'react'
import { Button as AriaButton, DialogTrigger, Popover, Dialog } from 'react-aria-components'
import { useQuery } from '@tanstack/react-query'
import { mayCall } from '../../domain/permissions.ts'
import { query, useMe } from '../api.ts'
import { Button } from '../controls/button.tsx'
import { Icon } from '../controls/icon.tsx'
import { Toasts } from '../controls/toasts.tsx'
import { useMessages } from '../messages.ts'
import { logOut } from '../session.ts'
import { shellMessages } from './messages.ts'
import { PLACES, type Place } from './places.ts'
import { LanguageChoice, ThemeChoice } from './settings.tsx'
import styles from './shell.module.css'

/** What is around every screen: header, navigation, notices. */
export function Shell() {
  const t = useMessages(shellMessages)
  const main = useFocusOnChange()
  return (
    <div className={styles['shell']}>
      <a className={styles['skip']} href="#content" onClick={() => main.current?.focus()}>
        {t.skip}
      </a>
      <header className={styles['header']}>
        <Link to="/" className={styles['brand']} aria-label="Coldstream">
          <img src="/icon.svg" alt="" width="32" height="32" />
          <span className={styles['name']}>Coldstream</span>
        </Link>
        <PlaceName />
        <Account />
      </header>
      <Navigation />
      <main id="content" ref={main} tabIndex={-1} className={styles['main']}>
        <Offline />
        <Outlet />
      </main>
      <Toasts />
    </div>
  )
}

/** A screen reader and the keyboard follow to the new screen; not at the first one, nor for a filter. */
function useFocusOnChange() {
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  const last = useRef(pathname)
  useEffect(() => {
    if (last.current === pathname) return
    last.current = pathname
    main.current?.focus()
    window.scrollTo(0, 0)
  }, [pathname])
  return main
}

/** As many as a phone has room for beside the menu. */
const PHONE_PLACES = 4

function Navigation() {
  const t = useMessages(shellMessages)
  const me = useMe()
  const shown = PLACES.filter(({ needs }) => me && mayCall(me.role, needs))
  const rest = shown.length > PHONE_PLACES + 1 ? shown.slice(PHONE_PLACES) : []
  return (
    <nav className={styles['navigation']} aria-label={t.navigation}>
      <ul>
        {shown.map((place) => (
          <li key={place.name} className={rest.includes(place) ? styles['wide'] : undefined}>
            <PlaceLink place={place} />
          </li>
        ))}
        {rest.length > 0 && (
          <li className={styles['narrow']}>
            <Menu places={rest} />
          </li>
        )}
      </ul>
    </nav>
  )
}

function PlaceLink({ place: { name, icon, to }, onClick }: { place: Place; onClick?: () => void }) {
  const t = useMessages(shellMessages)
  return (
    <Link to={to} activeOptions={{ includeSearch: false, exact: to === '/' }} onClick={onClick}>
      <Icon name={icon} />
      <span>{t.places[name]}</span>
    </Link>
  )
}

/** What a phone has no room for. */
function Menu({ places }: { places: readonly Place[] }) {
  const t = useMessages(shellMessages)
  const { pathname } = useLocation()
  const isHere = places.some(({ to }) => pathname.startsWith(String(to)))
  return (
    <DialogTrigger>
      <AriaButton className={styles['menuButton'] ?? ''} data-current={isHere || undefined}>
        <Icon name="list" />
        <span>{t.menu}</span>
      </AriaButton>
      <Popover placement="top end" className={styles['popover'] ?? ''}>
        <Dialog aria-label={t.menu} className={styles['menu'] ?? ''}>
          {({ close }) => (
            <ul>
              {places.map((place) => (
                <li key={place.name}>
                  <PlaceLink place={place} onClick={close} />
                </li>
              ))}
            </ul>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  )
}

/** Where the person acts. */
function PlaceName() {
  const t = useMessages(shellMessages)
  const me = useMe()
  const id = me?.facilityId ?? ''
  const { data } = useQuery({ ...query('getFacility', { params: { id } }), enabled: id !== '' })
  return <p className={styles['place']}>{me && (me.facilityId === null ? t.everywhere : data?.name)}</p>
}

function Account() {
  const t = useMessages(shellMessages)
  const me = useMe()
  return (
    <DialogTrigger>
      <Button kind="quiet" aria-label={`${t.account}: ${me?.name ?? ''}`}>
        <Icon name="person" />
        <span className={styles['person']}>{me?.name}</span>
      </Button>
      <Popover placement="bottom end" className={styles['popover'] ?? ''}>
        <Dialog aria-label={t.account} className={styles['account'] ?? ''}>
          {({ close }) => (
            <>
              <p className={styles['who']}>{me?.name}</p>
              <LanguageChoice />
              <ThemeChoice />
              <Link to="/account" onClick={close}>
                {t.myAccount}
              </Link>
              <Button kind="normal" onPress={() => void logOut()}>
                {t.logout}
              </Button>
            </>
          )}
        </Dialog>
      </Popover>
    </DialogTrigger>
  )
}

function Offline() {
  const t = useMessages(shellMessages)
  const online = useSyncExternalStore(
    (listener) => {
      window.addEventListener('online', listener)
      window.addEventListener('offline', listener)
      return () => {
        window.removeEventListener('online', listener)
        window.removeEventListener('offline', listener)
      }
    },
    () => navigator.onLine,
  )
  return (
    <div role="status">
      {!online && (
        <p className={styles['offline']}>
          <Icon name="offline" /> {t.offline}
        </p>
      )}
    </div>
  )
}
