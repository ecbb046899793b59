const note = document.querySelector('#note'), list = document.querySelector('#tasks')

async function call(path, options) {
  const answer = await fetch(path, options)
  if (answer.ok) return answer
  if (answer.status === 401) throw new Error('Not signed in, or the link was used before: run “docket link”, and open what it prints.')
  throw new Error((await answer.json()).detail)
}

async function signIn() {
  const code = location.hash.slice(1)
  if (location.pathname !== '/signin' || !code) return
  history.replaceState(null, '', '/') // the code works once: keep it out of the history
  const body = JSON.stringify({ code, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone })
  await call('/api/session', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
}

async function show() {
  const tasks = await (await call('/api/tasks')).json()
  list.replaceChildren(...tasks.map(task => {
    const item = document.createElement('li')
    item.className = task.status
    item.textContent = task.due_date ? `${task.title} (due ${task.due_date})` : task.title
    return item
  }))
  note.textContent = tasks.length ? '' : 'No tasks yet.'
}

function follow() {
  const live = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`)
  live.onmessage = () => show()
  live.onclose = () => setTimeout(follow, 5000)
}

signIn().then(show).then(follow).catch(error => { note.textContent = error.message })
