/** What people do on a page that no code has to report: links out, downloads, forms, elements with `data-iafa`. */
import { BuiltIn, emit, type Properties } from './event';
import { on } from './guard';

const FILE = /\.(pdf|docx?|xlsx?|pptx?|csv|zip|7z|gz|dmg|exe|apk|mp[34])$/i;

const emitTagged = (element: HTMLElement): void => {
  const properties: Properties = {};
  for (const { name, value } of element.attributes) if (name.startsWith('data-iafa-')) properties[name.slice(10)] = value;
  if (element.dataset.iafa) emit(element.dataset.iafa, properties);
};

const click = (event: Event): void => {
  const target = event.target as Element;
  const tagged = target.closest<HTMLElement>('[data-iafa]:not(form)');
  const link = target.closest<HTMLAnchorElement>('a[href]');
  if (tagged) emitTagged(tagged);
  if (!link?.protocol.startsWith('http')) return;
  if (FILE.test(link.pathname)) emit(BuiltIn.FileDownload, { url: link.href });
  else if (link.host !== location.host) emit(BuiltIn.OutboundClick, { url: link.href });
};

const submit = (event: Event): void => {
  const form = event.target as HTMLFormElement;
  const properties: Properties = {};
  // Attributes, not members: a field called "id" takes the member's place. Never what was typed.
  for (const name of ['id', 'name', 'action']) properties[name] = form.getAttribute(name);
  emit(BuiltIn.FormSubmit, properties);
  emitTagged(form);
};

export const watchInteractions = (): void => {
  on('click', click);
  on('submit', submit);
};
