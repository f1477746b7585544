import { Link, Outlet, useLocation } from '@tanstack/react-router'
import { useEffect, useRef } from 'react'
import { mayCall } from '../../../domain/permissions.ts'
import { useMe } from '../../api.ts'
import { useMessages } from '../../messages.ts'
import { NotFound } from '../../shell/not-found.tsx'
import styles from './administration.module.css'
import { administrationMessages } from './messages.ts'
import { PAGES } from './pages.ts'

/** The pages of the administration beside their navigation. Whoever may not open a page finds nothing at its address. */
export function Layout() {
  const t = useMessages(administrationMessages)
  const me = useMe()
  const { pathname } = useLocation()
  const navigation = useRef<HTMLElement>(null)
  // On a phone the navigation is one line that is wider than the screen.
  useEffect(() => {
    const current = navigation.current?.querySelector('[aria-current]')
    current?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [pathname])
  const isAt = (to: string) => pathname === to || pathname.startsWith(`${to}/`)
  const here = PAGES.findLast(({ to }) => isAt(to))
  if (me && here && !mayCall(me.role, here.needs)) return <NotFound />
  const shown = PAGES.filter(({ needs, isWithin }) => me && !isWithin && mayCall(me.role, needs))
  return (
    <div className={styles['layout']}>
      <nav ref={navigation} aria-label={t.navigation} className={styles['navigation']}>
        <ul>
          {shown.map(({ name, to }) => (
            <li key={name}>
              <Link to={to} activeOptions={{ exact: to === '/administration', includeSearch: false }}>
                {t.pages[name]}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className={styles['page']}>
        <Outlet />
      </div>
    </div>
  )
}
