using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Platform.Tests.Graph;

/// <summary>A browser in which tests do what a person does. What it shows is kept in <c>artifacts/test-results</c>.</summary>
internal sealed class TestBrowser : IAsyncDisposable
{
    /// <summary>The browser's program.</summary>
    public const string Program = "/usr/bin/chromium";

    private const float Patience = 60_000; // milliseconds

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly string _directory;

    private TestBrowser(IPlaywright playwright, IBrowser browser, string directory) => (_playwright, _browser, _directory) = (playwright, browser, directory);

    /// <summary>Skips the test when there is none.</summary>
    public static void Require() =>
        Assert.SkipUnless(File.Exists(Program), $"There is no browser at {Program}: './platform test' installs Debian's chromium.");

    /// <summary>Starts it.</summary>
    /// <param name="name">The directory of the screenshots.</param>
    public static async Task<TestBrowser> LaunchAsync(string name)
    {
        SetDefaultExpectTimeout(Patience);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Program,
            // The pages come from this machine; nothing is asked elsewhere.
            Args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"],
        });
        return new(playwright, browser, Path.Combine(Repository.Root, "artifacts", "test-results", name));
    }

    /// <summary>Opens an empty page.</summary>
    /// <param name="options">How it differs from one of 1400 by 900 pixels.</param>
    public async Task<IPage> OpenAsync(BrowserNewPageOptions? options = null)
    {
        options ??= new();
        options.ViewportSize ??= new() { Width = 1400, Height = 900 };
        var page = await _browser.NewPageAsync(options);
        page.SetDefaultTimeout(Patience);
        return page;
    }

    /// <summary>Keeps what a page shows.</summary>
    public Task KeepAsync(IPage page, string name, bool whole = false) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(_directory, $"{name}.png"), FullPage = whole });

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
