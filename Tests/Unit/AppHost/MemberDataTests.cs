using Platform.Hosting.Mongo;
using Xunit;

namespace Platform.Tests.Unit.AppHost;

public sealed class MemberDataTests
{
    [Theory]
    [InlineData(1, 4, 4, 4, null)]
    [InlineData(1, 4, 4, 5, 3)] // the third was primary, or followed one, while the first was away
    [InlineData(1, 4, 5, 4, 2)]
    [InlineData(3, 4, 5, 4, null)] // all run, and agree among themselves
    [InlineData(1, null, null, null, null)]
    [InlineData(1, null, 2, null, 2)]
    public void A_member_that_would_not_run_must_not_have_what_the_others_lack(int members, int? first, int? second, int? third, int? ahead)
    {
        var directory = Directory.CreateTempSubdirectory("members-");
        try
        {
            var data = Path.Combine(directory.FullName, "postgres");
            foreach (var (i, followed) in new[] { first, second, third }.Index())
            {
                if (followed is { } term)
                {
                    Directory.CreateDirectory(MemberData.DirectoryOf(data, i + 1));
                    File.WriteAllText(
                        Path.Combine(MemberData.DirectoryOf(data, i + 1), "election.json"), $$"""{ "Term": 9, "Vote": 0, "Followed": {{term}} }""");
                }
            }

            Assert.Equal(ahead, MemberData.AheadOf(data, members));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
