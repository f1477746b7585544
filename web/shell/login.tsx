import { useState } from 'react'
import { Form } from 'react-aria-components'
import { Problem, problemOf } from '../api.ts'
import { Button } from '../controls/button.tsx'
import { ProblemNote } from '../controls/problem-note.tsx'
import { TextField } from '../controls/text-field.tsx'
import { useMessages } from '../messages.ts'
import { logIn } from '../session.ts'
import { shellMessages } from './messages.ts'
import { LanguageChoice } from './settings.tsx'
import styles from './login.module.css'

export function Login() {
  const t = useMessages(shellMessages)
  const [problem, setProblem] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const submit = async (form: FormData) => {
    setBusy(true)
    try {
      const refused = await logIn(String(form.get('username')), String(form.get('password')))
      setProblem(refused && (await problemOf(refused)))
    } catch (error) {
      setProblem(error)
    }
    setBusy(false)
  }
  return (
    <main className={styles['page']}>
      <section className={styles['card']}>
        <header className={styles['brand']}>
          <img src="/icon.svg" alt="" width="44" height="44" />
          <span>Coldstream</span>
        </header>
        <p className={styles['lead']}>{t.login.lead}</p>
        <Form
          className={styles['form']}
          aria-label={t.login.title}
          onSubmit={(event) => {
            event.preventDefault()
            void submit(new FormData(event.currentTarget))
          }}
        >
          <h1>{t.login.title}</h1>
          {problem !== undefined && <ProblemNote problem={problem} title={titleOf(problem)} />}
          <TextField label={t.login.username} name="username" autoComplete="username" isRequired />
          <TextField
            label={t.login.password}
            name="password"
            type="password"
            autoComplete="current-password"
            isRequired
          />
          <Button kind="primary" type="submit" isDisabled={busy}>
            {busy ? t.login.busy : t.login.submit}
          </Button>
        </Form>
        <LanguageChoice />
      </section>
    </main>
  )
}

function titleOf(problem: unknown): string | undefined {
  return problem instanceof Problem ? problem.message : undefined
}
