import { createContext, use } from 'react';
import type { User } from './session';

const UserContext = createContext<User | undefined>(undefined);
export const UserProvider = UserContext.Provider;

/** Who is signed in; their time zone is the one that days and times are shown in. */
export function useUser(): User {
  const user = use(UserContext);
  if (!user) throw new Error('useUser outside a UserProvider');
  return user;
}
