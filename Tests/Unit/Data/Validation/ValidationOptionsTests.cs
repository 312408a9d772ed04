using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Platform.Data.Validation;
using Xunit;

namespace Platform.Tests.Unit.Data.Validation;

public sealed class ValidationOptionsTests
{
    [Fact]
    public void Level_and_action_are_strict_and_error_unless_configured_and_one_collection_may_differ()
    {
        var options =
            Options(("Validation:Level", "moderate"), ("Validation:Collections:orders:Level", "Strict"), ("Validation:Collections:orders:Action", "warn"));

        Assert.Equal(("strict", "warn"), (options.For("orders").LevelName, options.For("orders").ActionName));
        Assert.Equal(("moderate", "error"), (options.For("users").LevelName, options.For("users").ActionName));
        Assert.Equal(CollectionValidation.Full, Options().For("users"));
    }

    [Theory]
    [InlineData("Validation:Level", "hard", "Validation:Level must be strict, moderate or off, not 'hard'.")]
    [InlineData("Validation:Action", "1", "Validation:Action must be error or warn, not '1'.")]
    [InlineData("Validation:Collections:orders:Level", "", "Validation:Collections:orders:Level must be strict, moderate or off, not ''.")]
    [InlineData("Validation:Collections:order:Level", "off", "Validation:Collections:order: there is no collection of this name; did you mean orders?")]
    [InlineData("Validation:Collections:invoices:Level", "off", "Validation:Collections:invoices: there is no collection of this name; there are tenants, ")]
    [InlineData("Validation:Colections:orders:Level", "off", "Validation:Colections is no setting; did you mean Validation:Collections?")]
    [InlineData("Validation:Collections:orders:Levle", "off", "Validation:Collections:orders:Levle is no setting; did you mean "
        + "Validation:Collections:orders:Level?")]
    [InlineData("Validation:Strictness", "much", "Validation:Strictness is no setting; there are Level, Action, Collections.")]
    public void A_wrong_setting_is_refused_by_its_key(string key, string value, string sentence)
    {
        var exception = Assert.Throws<OptionsValidationException>(() => Options((key, value)));

        Assert.StartsWith(sentence, Assert.Single(exception.Failures), StringComparison.Ordinal);
    }

    private static ValidationOptions Options(params (string Key, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(settings.ToDictionary(setting => setting.Key, setting => (string?)setting.Value)).Build());
        services.AddValidationOptions();
        using var provider = services.BuildServiceProvider();
        return provider.GetRequiredService<IOptions<ValidationOptions>>().Value;
    }
}
