using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Architecture;

/// <summary>The pictures of pages in the documents show what there is.</summary>
public sealed class PictureTests
{
    [Fact]
    public void A_page_has_not_changed_since_its_picture_was_taken() => Assert.All(Picture.All, name =>
        Assert.True(
            Picture.Kept(name) == Picture.Fingerprint(name),
            $"docs/{name} was taken of a page that has changed since: run the graph test that keeps it with PLATFORM_UPDATE_DOCS=1, and look at it."));

    [Fact]
    public void Every_picture_is_there_and_shown()
    {
        var text = File.ReadAllText(Path.Combine(Repository.Root, "README.md"));
        Assert.All(Picture.All, name =>
        {
            var length = new FileInfo(Path.Combine(Repository.Root, "docs", name)).Length;
            Assert.True(length is > 10_000 and < 400_000, $"docs/{name} is no picture, or too large.");
            Assert.Contains($"](docs/{name})", text, StringComparison.Ordinal);
        });
    }
}
