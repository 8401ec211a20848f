/* What htmx does not do: say that the connection is lost and try again, less and less often. */
(function () {
  "use strict";
  var lost = 0;
  var quietUntil = 0;

  function banner() { return document.getElementById("lost"); }

  function onLost() {
    lost += 1;
    quietUntil = Date.now() + Math.min(15000, 1000 * Math.pow(2, lost - 1));
    if (banner()) { banner().hidden = false; }
  }

  function onBack() {
    lost = 0;
    quietUntil = 0;
    if (banner()) { banner().hidden = true; }
  }

  function isPoll(event) {
    var trigger = event.detail.elt.getAttribute("hx-trigger") || "";
    return trigger.indexOf("every") !== -1;
  }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (isPoll(event) && Date.now() < quietUntil) { event.preventDefault(); }
  });
  document.addEventListener("htmx:sendError", onLost);
  document.addEventListener("htmx:timeout", onLost);
  document.addEventListener("htmx:afterRequest", function (event) {
    var status = event.detail.xhr ? event.detail.xhr.status : 0;
    if (status >= 500) { onLost(); } else if (status > 0) { onBack(); }
    /* Logged out meanwhile, or the agent is not ours any more: the whole page says so. */
    if (isPoll(event) && (status === 403 || status === 404)) { window.location.reload(); }
    var form = event.detail.elt;
    if (event.detail.successful && form.matches("form[data-clears]")) {
      clearSent(form, event.detail.requestConfig.parameters);
    }
  });

  /* What somebody wrote while the line before was on its way stays. */
  function clearSent(form, sent) {
    form.querySelectorAll("textarea").forEach(function (field) {
      if (field.value === sent[field.name]) { field.value = ""; }
    });
  }

  /* The page has become another one; what somebody is typing is not taken from under them. */
  function isTyping() {
    var fields = document.querySelectorAll("textarea, input:not([type=hidden])");
    return Array.prototype.some.call(fields, function (field) {
      return !field.readOnly && !field.dataset.keeps && field.value !== field.defaultValue;
    });
  }
  document.addEventListener("farm-changed", function () {
    if (!isTyping()) { window.location.reload(); }
  });

  function toTheEnd() {
    var end = document.getElementById("end");
    if (end) { end.scrollIntoView({ block: "nearest" }); }
  }
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id === "conversation") { toTheEnd(); }
  });

  window.addEventListener("load", toTheEnd);

  /* The farm writes UTC; people read the clock on their own wall. */
  function toLocalTime(root) {
    var spoken = document.documentElement.lang;
    var language = navigator.language.indexOf(spoken) === 0 ? navigator.language : spoken;
    root.querySelectorAll("time.clock, time.stamp").forEach(function (time) {
      var at = new Date(time.dateTime);
      var style = time.className === "clock" ? { timeStyle: "short" } : { dateStyle: "short", timeStyle: "medium" };
      time.textContent = new Intl.DateTimeFormat(language, style).format(at);
    });
  }
  window.addEventListener("DOMContentLoaded", function () { toLocalTime(document); });
  document.addEventListener("htmx:load", function (event) { toLocalTime(event.detail.elt); });

  /* Enter sends, Shift+Enter makes a line, as in every chat. */
  document.addEventListener("keydown", function (event) {
    var wants = event.key === "Enter" && !event.shiftKey && !event.isComposing;
    if (wants && event.target.matches("textarea[data-enter-sends]")) {
      event.preventDefault();
      if (event.target.value.trim()) { event.target.form.requestSubmit(); }
    }
  });

  /* What is to be passed on is copied by a tap, where the browser lets a page do so. */
  if (navigator.clipboard) {
    document.querySelectorAll("button[data-copies]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () {
        var field = document.getElementById(button.dataset.copies);
        navigator.clipboard.writeText(field.value || field.textContent.trim()).then(function () {
          button.textContent = button.dataset.copied;
        });
      });
    });
  }

  /* What somebody is writing to their agent outlives the page: it may fall asleep meanwhile. */
  document.querySelectorAll("textarea[data-keeps]").forEach(function (field) {
    var key = "draft-" + field.dataset.keeps;
    if (!field.value) { field.value = window.sessionStorage.getItem(key) || ""; }
    function keep() { window.sessionStorage.setItem(key, field.value); }
    field.addEventListener("input", keep);
    document.addEventListener("htmx:afterRequest", keep);
    window.addEventListener("pagehide", keep);
  });

  /* Hours are meant by the clock of whoever sets them, unless they say another. */
  document.querySelectorAll("input[data-zone]").forEach(function (field) {
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || field.value;
    document.querySelectorAll("input[data-zone-copy]").forEach(function (copy) {
      copy.value = field.value;
    });
  });

  /* A wish is sent once, however often the button is pressed. */
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.matches("form[data-once]")) { return; }
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    var button = form.querySelector("button[type=submit]");
    if (button) { button.setAttribute("aria-disabled", "true"); }
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      delete form.dataset.sent;
      var button = form.querySelector("button[type=submit]");
      if (button) { button.removeAttribute("aria-disabled"); }
    });
  });
})();
