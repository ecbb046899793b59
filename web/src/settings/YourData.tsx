import { DownloadLink } from '../design/controls';
import { Section } from '../design/Section';
import { t } from '../text/account';

/** Everything that is the user's, to take along. The browser saves it as it comes: it may be large. */
export function YourData() {
  return (
    <Section title={t.settings.data} hint={t.settings.dataHint}>
      <div className="flex flex-wrap gap-2">
        <DownloadLink href="/api/me/export" file="docket.json">
          {t.settings.exportAll}
        </DownloadLink>
        <DownloadLink href="/api/me/export?format=ical" file="docket.ics">
          {t.settings.exportCalendar}
        </DownloadLink>
      </div>
    </Section>
  );
}
