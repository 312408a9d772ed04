using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Platform.Data.Validation;
using Platform.Migrator;
using Platform.Migrator.Commands;
using Platform.Mongo.Connections;
using Platform.ServiceDefaults;
using Xunit;

namespace Platform.Tests.Unit.ServiceDefaults;

public sealed class SettingKeysTests
{
    [Theory]
    [InlineData("Writrs", "Writers")]
    [InlineData("wRITERS", "Writers")]
    [InlineData("Wirters", "Writers")]
    [InlineData("Untl", "Until")]
    [InlineData("DatabaseTimout", "DatabaseTimeout")]
    [InlineData("Database", null)]
    [InlineData("x", null)]
    public void The_nearest_name_is_the_one_with_the_fewest_mistakes_if_any_is_near(string mistyped, string? meant) =>
        Assert.Equal(meant, NearestName.Of(mistyped, ["DatabaseTimeout", "Until", "Writers"]));

    [Theory]
    [InlineData("Health:Hosts:0", "localhost", null)]
    [InlineData("Health:LoopbackOnly", "yes", "Health:LoopbackOnly is yes, but must be true or false.")]
    [InlineData("Health:Timeout", "soon", "Health:Timeout is soon, but must be from 00:00:00.001 to 00:01:00.")]
    [InlineData("Health:Timout", "00:00:01", "Health:Timout is no setting; did you mean Health:Timeout?")]
    [InlineData("Health:Colour", "red", "Health:Colour is no setting; there are Hosts, LoopbackOnly, Timeout, CacheDuration.")]
    [InlineData("Helth:Timeout", "00:00:01", "Helth is no setting; did you mean Health?")]
    [InlineData("Elsewhere:Timeout", "00:00:01", null)]
    [InlineData("Healt", "h", null)]
    public void A_mistyped_setting_is_told_in_one_sentence(string key, string value, string? sentence)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection([new(key, value)]);
        builder.Services.AddOptions<HealthEndpointOptions>().BindSettings(HealthEndpointOptions.Section).ValidateLimits(HealthEndpointOptions.Section);
        using var host = builder.Build();
        if (sentence is null)
        {
            host.CheckSettings();
            return;
        }

        Assert.Equal(sentence, Assert.Throws<OptionsValidationException>(host.CheckSettings).Sentence());
    }

    [Fact]
    public void The_example_of_the_migrators_settings_has_settings_that_there_are()
    {
        var path = Path.Combine(Repository.Root, "Services", "Migrator", "appsettings.example.json");
        var example = new ConfigurationBuilder().AddJsonFile(path).Build();
        Assert.Empty(SettingKeys.Mistakes(example.GetSection("Validation"), "Validation", typeof(ValidationOptions)));
        Assert.Empty(SettingKeys.Mistakes(example.GetSection("Migrator"), "Migrator", typeof(MigratorOptions)));
        Assert.Empty(SettingKeys.Mistakes(example.GetSection("Mongo"), "Mongo", typeof(MongoOptions)));
        var options = example.GetSection("Validation").Get<ValidationOptions>()!;
        Assert.Empty(options.Mistakes());
        Assert.Equal((new ValidationOptions().Level, new ValidationOptions().Action, 1), (options.Level, options.Action, options.Collections.Count));
        Assert.Equal(
            JsonSerializer.Serialize(new MigratorOptions()), JsonSerializer.Serialize(example.GetSection("Migrator").Get<MigratorOptions>()));
    }

    [Fact]
    public void The_help_of_the_migrator_lists_levels_and_actions()
    {
        var help = MigratorCommands.Create().Description!;
        Assert.All(
            Enum.GetNames<MongoDB.Driver.DocumentValidationLevel>().Concat(Enum.GetNames<MongoDB.Driver.DocumentValidationAction>()),
            name => Assert.Contains(name.ToLowerInvariant(), help, StringComparison.Ordinal));
        Assert.Contains("Validation__Collections__NAME__Level", help, StringComparison.Ordinal);
    }
}
