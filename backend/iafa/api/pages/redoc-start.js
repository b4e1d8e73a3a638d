// Redoc shows a picture from its maker's host. This page asks no outside host for anything, so pictures from elsewhere
// are empty: however the address is given to them.
const picture = HTMLImageElement.prototype;
const source = Object.getOwnPropertyDescriptor(picture, "src");
const setAttribute = picture.setAttribute;
const atHome = (address) => (new URL(address, location.href).origin === location.origin ? address : "data:,");

Object.defineProperty(picture, "src", {
  ...source,
  set(address) {
    source.set.call(this, atHome(address));
  },
});
picture.setAttribute = function (name, value) {
  setAttribute.call(this, name, name === "src" ? atHome(value) : value);
};

window.Redoc.init(
  "/openapi.json",
  {
    disableSearch: true,
    nativeScrollbars: true,
    theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } },
  },
  document.getElementById("docs"),
);
