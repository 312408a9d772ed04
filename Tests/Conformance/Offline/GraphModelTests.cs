using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Dcp;
using Aspire.Hosting.Orchestration;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Platform.Tests.Conformance.Offline;

/// <summary>What a graph is made of, with nothing started.</summary>
public sealed class GraphModelTests
{
    [Theory]
    [InlineData("plain {x} }}", "plain {x} }}")]
    [InlineData("{{.Name}}", """{{"{"}}{{"{"}}.Name}}""")]
    [InlineData("""a:{{portForServing "web"}}""", """a:{{portForServing "web"}}""")]
    [InlineData("""{{{portForServing "web"}}""", """{{"{"}}{{portForServing "web"}}""")]
    [InlineData("""{{portForServing "other"}}""", """{{"{"}}{{"{"}}portForServing "other"}}""")]
    public void Braces_reach_the_process_unless_they_are_our_own(string value, string escaped)
        => Assert.Equal(escaped, DcpTemplate.Escape(value, [DcpTemplate.PortForServing("web")]));

    [Theory]
    [InlineData(null)]
    [InlineData("  ")]
    [InlineData("one", "one")]
    [InlineData("  one  two ", "one", "two")]
    [InlineData("--a=\"b c\" \"\" d", "--a=b c", "", "d")]
    public void A_command_line_is_split_at_blanks(string? line, params string[] words)
        => Assert.Equal(words, CommandLine.Split(line));

    [Fact]
    public void Users_of_a_logical_resource_stop_before_the_servers_below_it()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { Args = [], DisableDashboard = true });
        var whole = builder.AddExecutable("whole", "true", ".");
        var server = builder.AddExecutable("server", "true", ".").WithParentRelationship(whole);
        var user = builder.AddExecutable("user", "true", ".").WaitFor(whole);

        var dependents = StopOrder.Dependents([.. builder.Resources]);
        Assert.Equal([whole.Resource], dependents[server.Resource]);
        Assert.Equal([user.Resource], dependents[whole.Resource]);
        Assert.False(dependents.ContainsKey(user.Resource));
    }

    [Fact]
    public void A_resource_name_is_taken_once()
    {
        var builder = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { Args = [], DisableDashboard = true });
        builder.AddExecutable("api", "true", ".");
        var failure = Assert.Throws<DistributedApplicationException>(() => builder.AddExecutable("API", "true", "."));
        Assert.Contains("'api' exists already", failure.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => builder.AddExecutable("a b", "true", "."));
    }

    [Fact]
    public void A_generated_password_keeps_to_its_classes()
    {
        for (var i = 0; i < 200; i++)
        {
            var password = new GenerateParameterDefault { MinLength = 22, Special = false, MinNumeric = 3, MinUpper = 2 }.GetDefaultValue();
            Assert.Equal(22, password.Length);
            Assert.True(password.Count(char.IsAsciiDigit) >= 3);
            Assert.True(password.Count(char.IsAsciiLetterUpper) >= 2);
            Assert.All(password, c => Assert.True(char.IsAsciiLetterOrDigit(c)));
        }
    }

    [Fact]
    public void A_generated_secret_is_kept_for_its_owner_alone()
    {
        var id = $"platform-tests-{Guid.NewGuid():N}";
        var secrets = new UserSecretsManager(id);
        try
        {
            using var configuration = new ConfigurationManager();
            secrets.GetOrSetSecret(configuration, "Parameters:first", () => "1");
            secrets.GetOrSetSecret(configuration, "Parameters:first", () => "2");
            Assert.True(secrets.TrySetSecret("Parameters:second", "3"));
            Assert.Equal("1", configuration["Parameters:first"]);
            var content = JsonNode.Parse(File.ReadAllText(secrets.FilePath))!;
            Assert.Equal(("1", "3"), ((string?)content["Parameters:first"], (string?)content["Parameters:second"]));
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(secrets.FilePath));
            }

            Assert.True(secrets.TryDeleteSecret("Parameters:second"));
            Assert.False(secrets.TryDeleteSecret("Parameters:second"));
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(secrets.FilePath)!, recursive: true);
        }
    }

    [Fact]
    public async Task An_expression_escapes_its_values_for_a_uri()
    {
        var password = new ParameterResource("password", _ => "p@ss/word{0}", secret: true);
        var expression = ReferenceExpression.Create($"redis://:{password:uri}@host/{{x}}?raw={password}");
        Assert.Equal("redis://:p%40ss%2Fword%7B0%7D@host/{x}?raw=p@ss/word{0}", await expression.GetValueAsync(TestContext.Current.CancellationToken));
        Assert.Equal("redis://:{password.value}@host/{x}?raw={password.value}", expression.ValueExpression);
    }
}
