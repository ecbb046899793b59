/**
 * The start of the web client: theme, session, then the app of whoever is signed in.
 *
 * [Task]: T006
 */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import '../design/tokens.css';
import { App } from './App';
import { checkSession } from './session';
import { applyTheme } from './theme';
import { startWorker } from './worker';

applyTheme();
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
if (!location.pathname.startsWith('/signin')) void checkSession(); // these pages ask when they have changed who it is
startWorker();
