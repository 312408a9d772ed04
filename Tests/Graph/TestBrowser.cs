using Microsoft.Playwright;
using Platform.Tests.TestKit.Pages;
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
    public Task KeepAsync(IPage page, string name, bool whole = false) => page.ScreenshotAsync(new() { Path = PathOf(name), FullPage = whole });

    /// <summary>Keeps what a page shows as a picture of the documents.</summary>
    /// <param name="page">The page.</param>
    /// <param name="picture">The picture.</param>
    /// <param name="height">How much of the page, in pixels.</param>
    public async Task KeepPictureAsync(IPage page, string picture, float height)
    {
        // Where this machine has its files is nobody's business.
        await page.EvaluateAsync(
            """
            places => {
              const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (texts.nextNode()) for (const [here, there] of places) texts.currentNode.data = texts.currentNode.data.replaceAll(here, there);
            }
            """,
            new[]
            {
                new[] { Repository.Root, "/home/dev/platform" },
                [Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + "/", "/home/dev/"],
            });
        var path = PathOf(Path.GetFileNameWithoutExtension(picture));
        await page.ScreenshotAsync(new() { Path = path, Clip = new() { Width = 1400, Height = height } });
        Picture.Put(picture, path);
    }

    private string PathOf(string name) => Path.Combine(_directory, $"{name}.png");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }
}
