// Runs in a page before its own scripts and notes what a visitor feels: when something is seen, when the numbers stand,
// what moved by itself, how long the page could not answer. The measurement and the browser tests put it there.
(function () {
  var watch = { paint: 0, largest: 0, settled: 0, busy_ms: 0, shifts: [] };
  window.pageWatch = watch;

  function each(type, take) {
    new PerformanceObserver(function (list) {
      list.getEntries().forEach(take);
    }).observe({ type: type, buffered: true });
  }

  /** A name by which a developer finds the element again. */
  function nameOf(node) {
    if (!node) return "an element that is gone";
    var element = node.nodeType === 1 ? node : node.parentElement;
    if (!element) return node.nodeName;
    var label = element.id ? "#" + element.id : element.getAttribute("aria-label") || element.getAttribute("role");
    var text = (element.textContent || "").trim().slice(0, 40);
    return element.tagName.toLowerCase() + (label ? " [" + label + "]" : "") + " ." + String(element.getAttribute("class") || "").split(" ").slice(0, 4).join(".") + (text ? ' "' + text + '"' : "");
  }

  function boxOf(rect) {
    return [rect.x, rect.y, rect.width, rect.height].map(Math.round).join(",");
  }

  each("paint", function (entry) {
    if (entry.name === "first-contentful-paint") watch.paint = entry.startTime;
  });
  each("largest-contentful-paint", function (entry) {
    watch.largest = entry.startTime;
  });
  each("longtask", function (entry) {
    watch.busy_ms += entry.duration;
  });
  each("layout-shift", function (entry) {
    if (entry.hadRecentInput) return;
    var moved = entry.sources.map(function (source) {
      return nameOf(source.node) + " " + boxOf(source.previousRect) + " -> " + boxOf(source.currentRect);
    });
    watch.shifts.push({ value: entry.value, at: entry.startTime, moved: moved });
  });

  /** What is still to come within the window; further down a page may wait until it is looked at. */
  function awaited() {
    return [].filter.call(document.querySelectorAll("[aria-busy=true], .animate-sheen"), function (element) {
      var box = element.getBoundingClientRect();
      return box.top < innerHeight && box.bottom > 0 && box.width > 0;
    });
  }
  watch.isBusy = function () {
    return document.querySelector("h1") === null || awaited().length > 0;
  };
  watch.waitsFor = function () {
    return document.querySelector("h1") === null ? "no heading" : awaited().map(nameOf).join("; ");
  };

  // The numbers stand from the frame in which the last skeleton is gone. Looked at once a frame, when layout is due anyway.
  var isBusy = true;
  var isDue = false;
  function look() {
    isDue = false;
    var was = isBusy;
    isBusy = watch.isBusy();
    if (was && !isBusy) watch.settled = performance.now();
  }
  new MutationObserver(function () {
    if (!isDue) requestAnimationFrame(look);
    isDue = true;
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["aria-busy", "class"] });
})();
