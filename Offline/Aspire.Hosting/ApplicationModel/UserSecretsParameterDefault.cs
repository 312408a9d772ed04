namespace Aspire.Hosting.ApplicationModel;

/// <summary>Keeps a generated value in the user secrets, so that the next run finds it in the configuration.</summary>
internal sealed class UserSecretsParameterDefault(string parameterName, ParameterDefault inner, IUserSecretsManager secrets) : ParameterDefault
{
    public override string GetDefaultValue()
    {
        var value = inner.GetDefaultValue();
        secrets.TrySetSecret($"Parameters:{parameterName}", value);
        return value;
    }
}
