using Platform.Backup.Policy;
using Xunit;

namespace Platform.Tests.Unit.Backup;

/// <summary>Settings of the backups, and the sentences on wrong ones.</summary>
public sealed class BackupOptionsTests
{
    [Fact]
    public void The_defaults_are_those_of_the_requirements()
    {
        var options = Good();
        Assert.True(Validate(options).Succeeded, string.Join(' ', Validate(options).Failures ?? []));
        Assert.Equal((30, 12, TimeSpan.FromDays(7)), (options.KeepDaily, options.KeepMonthly, options.Window));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 2, 0, 0, TimeSpan.Zero), options.ToPolicy().Next(new(2026, 1, 1, 2, 0, 0, TimeSpan.Zero)));
    }

    [Theory]
    [InlineData("mongod", "Backup:Engine is mongod, whose backups (Percona Backup for MongoDB) are not supported yet.")]
    [InlineData("atlas", "Backup:Engine is atlas, whose backups (those of Atlas, or of who runs it) are not supported yet.")]
    [InlineData("mysql", "Backup:Engine is mysql, but only documentdb is supported.")]
    public void Engines_that_are_not_built_are_refused(string engine, string sentence)
    {
        var options = Good();
        options.Engine = engine;
        Assert.Equal([sentence], Validate(options).Failures);
    }

    [Fact]
    public void What_is_not_supported_yet_is_refused_where_it_is_asked_for()
    {
        var options = Good();
        options.S3Bucket = "backups";
        Assert.Equal(["Backup:S3Bucket is set, but copies in S3 are not supported yet."], Validate(options).Failures);
    }

    [Theory]
    [InlineData("Schedule", "every day")]
    [InlineData("Schedule", "")]
    [InlineData("VerifySchedule", "61 * * * *")]
    [InlineData("DrillSchedule", "on Sundays")]
    [InlineData("TimeZone", "Mars/Olympus")]
    [InlineData("Directory", "backups")]
    [InlineData("PassPhrase", "tiny")]
    [InlineData("PassPhrase", "with a line break\nin the middle of it")]
    [InlineData("KeepDaily", 0)]
    [InlineData("ServerImage", "/nowhere/at/all")]
    public void A_wrong_setting_is_one_sentence_that_names_its_key_and_never_a_secret(string key, object value)
    {
        var options = Good();
        typeof(BackupOptions).GetProperty(key)!.SetValue(options, value);
        var sentence = Assert.Single(Validate(options).Failures!);
        Assert.StartsWith($"Backup:{key} is ", sentence, StringComparison.Ordinal);
        Assert.True(key != "PassPhrase" || !sentence.Contains((string)value, StringComparison.Ordinal));
    }

    private static Microsoft.Extensions.Options.ValidateOptionsResult Validate(BackupOptions options) => new BackupOptionsValidation().Validate(null, options);

    private static BackupOptions Good() => new()
    {
        Directory = "/var/backups/platform",
        PassPhrase = "a pass phrase that is long enough",
        ServerImage = Path.GetTempPath(), NativeScripts = Path.GetTempPath(),
    };
}
