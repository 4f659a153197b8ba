// Bundles JupyterLab's own extensions, those that package.json lists, into one page: build/bundle.js.
const fs = require('fs');
const path = require('path');
const merge = require('webpack-merge').default;
const { Build } = require('@jupyterlab/builder');
const base = require('@jupyterlab/builder/lib/webpack.config.base');

const packages = Object.keys(require('./package.json').dependencies);
const assets = Build.ensureAssets({ packageNames: packages, output: './build' });

const styles = [];
const plugins = [];
const mimePlugins = [];
for (const name of packages) {
  const about = require(`${name}/package.json`);
  const lab = about.jupyterlab || {};
  const entry = part => JSON.stringify(typeof part === 'string' ? `${name}/${part}` : name);
  if (lab.extension) plugins.push(`require(${entry(lab.extension)})`);
  if (lab.mimeExtension) mimePlugins.push(`require(${entry(lab.mimeExtension)})`);
  if (about.styleModule && !lab.themePath) styles.push(`import '${name}/${about.styleModule}';`);
}

fs.mkdirSync('build', { recursive: true });
fs.writeFileSync('build/style.js', styles.join('\n'));
fs.writeFileSync('build/entry.js', `
import { PageConfig } from '@jupyterlab/coreutils';
__webpack_public_path__ = PageConfig.getOption('fullStaticUrl') + '/';
import './style.js';
window.addEventListener('load', () => {
  const { JupyterLab } = require('@jupyterlab/application');
  const none = { patterns: [], matches: [] };
  const lab = new JupyterLab({ mimeExtensions: [${mimePlugins}], disabled: none, deferred: none });
  const off = PageConfig.getOption('disabledPlugins').split(',');
  for (const module of [${plugins}]) {
    for (const plugin of [module.default || module].flat()) {
      if (!off.includes(plugin.id)) lab.registerPlugin(plugin);
    }
  }
  lab.start({ ignorePlugins: [] });
  lab.restored.then(() => { window.jupyterapp = lab; });
});
`);

module.exports = [
  merge(base, {
    mode: 'development',
    devtool: false,
    entry: './build/entry.js',
    output: { path: path.resolve(__dirname, 'build'), filename: 'bundle.js' }
  })
].concat(assets);
