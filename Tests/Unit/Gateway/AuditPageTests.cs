using Platform.Tests.TestKit.Pages;
using Xunit;

namespace Platform.Tests.Unit.Gateway;

public sealed class AuditPageTests
{
    [Fact]
    public void The_page_on_the_audit_log_shows_what_is_recorded() =>
        GeneratedPage.CheckPart("audit.md", "the table of audited commands", AuditDocumentation.Render());
}
