import { useState } from 'react'
import { useMay } from '../../../api.ts'
import { Button } from '../../../controls/button.tsx'
import { PagedList } from '../../../controls/paged-list.tsx'
import { useMessages } from '../../../messages.ts'
import type { OnCallList } from '../../../operations.ts'
import { usePaged } from '../../../paged.ts'
import styles from '../administration.module.css'
import { useUserName } from '../names.tsx'
import { alarmMessages } from './messages.ts'
import { OnCallForm } from './on-call-form.tsx'

const PAGE_ROWS = 50

/** The on-call lists of a place and below, and who is on call. */
export function OnCallPanel({ facilityId }: { readonly facilityId: string }) {
  const t = useMessages(alarmMessages)
  const [open, setOpen] = useState<OnCallList | 'new'>()
  const lists = usePaged('listOnCallLists', { facilityId, limit: PAGE_ROWS })
  const mayAdd = useMay('createOnCallList')
  return (
    <section className={styles['panel']}>
      <h2>{t.onCall}</h2>
      <p className={styles['soft']}>{t.onCallLead}</p>
      <PagedList of={lists} empty={<p>{t.onCallNone}</p>}>
        {(items) => (
          <ul className={styles['plain']}>
            {items.map((list) => (
              <Row key={list.id} list={list} onEdit={() => setOpen(list)} />
            ))}
          </ul>
        )}
      </PagedList>
      {mayAdd && (
        <div>
          <Button kind="normal" onPress={() => setOpen('new')}>
            {t.onCallAdd}
          </Button>
        </div>
      )}
      {open !== undefined && (
        <OnCallForm
          facilityId={facilityId}
          known={open === 'new' ? undefined : open}
          onClose={() => setOpen(undefined)}
        />
      )}
    </section>
  )
}

function Row({ list, onEdit }: { readonly list: OnCallList; readonly onEdit: () => void }) {
  const t = useMessages(alarmMessages)
  const mayChange = useMay('updateOnCallList')
  return (
    <li>
      <div>
        <strong>{list.name}</strong>
        <p className={styles['soft']}>
          {t.onCallNow}: {list.onCallUserIds.length === 0 && t.onCallNobody}
          {list.onCallUserIds.map((id, index) => (
            <span key={id}>
              {index > 0 && ', '}
              <UserName id={id} />
            </span>
          ))}
        </p>
      </div>
      {mayChange && (
        <Button kind="normal" aria-label={`${t.change}: ${list.name}`} onPress={onEdit}>
          {t.change}
        </Button>
      )}
    </li>
  )
}

function UserName({ id }: { readonly id: string }) {
  const t = useMessages(alarmMessages)
  return <>{useUserName(id, t.unknown)}</>
}
