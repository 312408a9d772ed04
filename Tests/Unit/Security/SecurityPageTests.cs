using System.Text;
using Platform.SecurityTool.Checks;
using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Security;

public sealed class SecurityPageTests
{
    [Fact]
    public void The_page_on_security_shows_the_checks_as_they_are() => GeneratedPage.CheckPart("security.md", "the checks", Render());

    private static string Render()
    {
        var text = new StringBuilder("| check | what holds | otherwise | source |\n| --- | --- | --- | --- |\n");
        foreach (var check in CheckCatalogue.All)
        {
            text.Append($"| `{check.Id}` | {check.Title} | {check.Why} | {check.Source} |\n");
        }

        return text.ToString();
    }
}
