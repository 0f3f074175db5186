"""A headless Chromium that tests drive through Chrome's DevTools protocol, over a pipe; nothing else is needed."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

NAMES = ('chromium', 'google-chrome', 'chromium-headless-shell')
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
# The protocol is spoken on the descriptors 3 and 4.
SHELL = 'exec "$0" "$@" 3<&0 4>&1 1>/dev/null 2>&1 </dev/null'
OPTIONS = ('--headless', '--no-sandbox', '--disable-gpu', '--remote-debugging-pipe', '--hide-scrollbars')


class Browser:
    """One browser with one page.

    Args:
        profile (str | os.PathLike): Folder for what it keeps.
        size (tuple[int, int]): Of the window. Defaults to (1280, 800).
        dark (bool): Whether the system prefers dark colours. Defaults to False.
        timeout_s (float): For each answer. Defaults to 60.

    Attributes:
        troubles (list[str]): What the page wrote to the console, errors and exceptions.
    """

    def __init__(self, profile, size=(1280, 800), dark=False, timeout_s=60):
        self.troubles, self.timeout_s = [], timeout_s
        self._number, self._buffer, self._session = 0, b'', {}
        command = ['sh', '-c', SHELL, BROWSER, *OPTIONS, f'--user-data-dir={profile}', 'about:blank']
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        target = self.call('Target.createTarget', url='about:blank')['targetId']
        self._session = {'sessionId': self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']}
        for domain in ('Page', 'Runtime', 'Log'):
            self.call(f'{domain}.enable')
        self.call(
            'Emulation.setDeviceMetricsOverride', width=size[0], height=size[1], deviceScaleFactor=1, mobile=False
        )
        scheme = {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}
        self.call('Emulation.setEmulatedMedia', features=[scheme])

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._process.kill()
        self._process.communicate()

    def call(self, method, **parameters):
        """Call a method of the protocol and return its result; what the page says meanwhile is noted."""
        self._number += 1
        message = {'id': self._number, 'method': method, 'params': parameters, **self._session}
        os.write(self._process.stdin.fileno(), json.dumps(message).encode() + b'\0')
        while True:
            answer = self._receive()
            if answer.get('id') == self._number:
                assert 'error' not in answer, answer
                return answer['result']

    def _receive(self):
        stop = time.monotonic() + self.timeout_s
        while b'\0' not in self._buffer:
            ready, _, _ = select.select([self._process.stdout], [], [], max(stop - time.monotonic(), 0))
            assert ready, 'the browser does not answer'
            read = os.read(self._process.stdout.fileno(), 1 << 20)
            assert read, 'the browser has ended'
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b'\0')
        message = json.loads(message)
        event = message.get('params', {})
        if message.get('method') == 'Runtime.exceptionThrown':
            self.troubles.append(str(event['exceptionDetails']))
        elif message.get('method') == 'Runtime.consoleAPICalled':
            self.troubles.append(f'{event["type"]}: {event["args"]}')
        elif message.get('method') == 'Log.entryAdded':
            self.troubles.append(f'{event["entry"]["level"]}: {event["entry"]["text"]}')
        return message

    def open(self, path):
        """Open a file of the disk and wait for it."""
        self.call('Page.navigate', url=path.resolve().as_uri())
        self.wait('document.readyState === "complete"')

    def run(self, script):
        """Return the value of an expression in the page; a promise is waited for."""
        answer = self.call('Runtime.evaluate', expression=script, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in answer, answer
        return answer['result'].get('value')

    def wait(self, script):
        """Wait until an expression is true."""
        stop = time.monotonic() + self.timeout_s
        while not self.run(script):
            assert time.monotonic() < stop, script
            time.sleep(0.02)

    def click(self, x, y):
        """Click with the left button."""
        for kind in ('mouseMoved', 'mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', buttons=1, clickCount=1)

    def press(self, key, shift=False):
        """Press and release a key."""
        typed = {'text': key} if len(key) == 1 else {}
        for kind in ('keyDown', 'keyUp'):
            self.call(
                'Input.dispatchKeyEvent',
                type=kind,
                key=key,
                modifiers=8 if shift else 0,
                **(typed if kind == 'keyDown' else {}),
            )

    def screenshot(self, path):
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.call('Page.captureScreenshot', format='png')['data']))
