import { lazy, type ComponentType } from 'react';

/** For any other path that is not the list's. */
export const NotFound = lazy(() => import('./NotFound'));

/** The pages beside the list, by their path; each is loaded when it is first opened. */
export const pages: Partial<Record<string, ComponentType>> = {
  '/activity': lazy(() => import('../activity/Activity')),
  '/inbox': lazy(() => import('../notifications/Inbox')),
  '/people': lazy(() => import('../people/People')),
  '/security': lazy(() => import('../security/Security')),
  '/settings': lazy(() => import('../settings/Settings')),
};
