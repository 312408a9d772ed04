using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>The user secrets of the app host: a JSON file of mode 600 outside the repository.</summary>
public interface IUserSecretsManager
{
    /// <summary>Whether the app host's assembly has a user secrets id.</summary>
    bool IsAvailable { get; }

    /// <summary>The path of the file.</summary>
    string FilePath { get; }

    /// <summary>Writes a secret.</summary>
    /// <returns>False when the secrets are not available.</returns>
    bool TrySetSecret(string name, string value);

    /// <summary>Removes a secret.</summary>
    /// <returns>False when there is none of that name.</returns>
    bool TryDeleteSecret(string name);

    /// <summary>Makes and writes a secret unless the configuration has it already.</summary>
    void GetOrSetSecret(IConfigurationManager configuration, string name, Func<string> valueGenerator);
}
